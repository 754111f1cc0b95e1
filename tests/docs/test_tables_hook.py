"""Calls in a table go on in the next line between names, never within one."""

from __future__ import annotations

from tests.docs.hooks import hook


def test_a_call_may_break_after_a_bracket_and_before_a_point() -> None:
    cell = '<td><code>client.spot.klines("BTCUSDT", limit=1.5)</code></td>'
    assert (
        hook("tables").breakable(cell)
        == '<td><code>client<wbr>.spot<wbr>.klines(<wbr>"BTCUSDT", limit=1.5)</code></td>'
    )


def test_on_a_phone_a_name_may_break_between_its_words() -> None:
    mark = '<wbr class="narrow">'
    cell = "<td><code>a_word, APIError, __init__</code></td>"
    assert hook("tables").breakable(cell) == f"<td><code>a_{mark}word, APIError, __init__</code></td>"
    assert hook("tables").breakable("<td><code>DecodeError</code></td>") == f"<td><code>Decode{mark}Error</code></td>"


def test_empty_brackets_stay_together_and_text_outside_of_cells_as_it_is() -> None:
    page = "<p><code>client.close()</code></p><td>see x.y <code>close()</code></td>"
    assert hook("tables").breakable(page) == page
