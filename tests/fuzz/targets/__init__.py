"""The targets, one a subject."""

from __future__ import annotations

from tests.fuzz.mutating import bytes_below_a_line, json_below_a_line, yaml_below_a_line, zip_below_a_line
from tests.fuzz.target import Target
from tests.fuzz.targets import (
    answers,
    archive,
    archive_listing,
    client_settings,
    error_answers,
    frames,
    live_book,
    spec,
    store_urls,
    stream_messages,
    virtuoso_config,
)

TARGETS = {
    target.name: target
    for target in (
        Target("answers", answers.target, answers.seeds, json_below_a_line),
        Target("error_answers", error_answers.target, error_answers.seeds, json_below_a_line),
        Target("frames", frames.target, frames.seeds, json_below_a_line),
        Target("stream_messages", stream_messages.target, stream_messages.seeds, json_below_a_line),
        Target("live_book", live_book.target, live_book.seeds, json_below_a_line),
        Target("archive", archive.target, archive.seeds, zip_below_a_line),
        Target("archive_listing", archive_listing.target, archive_listing.seeds, bytes_below_a_line),
        Target("spec", spec.target, spec.seeds, yaml_below_a_line),
        Target("virtuoso_config", virtuoso_config.target, virtuoso_config.seeds, yaml_below_a_line),
        Target("client_settings", client_settings.target, client_settings.seeds, json_below_a_line),
        Target("store_urls", store_urls.target, store_urls.seeds, json_below_a_line),
    )
}
