"""Runs datamodel-code-generator over a bundle, with every choice of its own switched off."""

from __future__ import annotations

import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

from codegen.rendering.bundle import SCALARS, Bundle

_FOLDER = Path(__file__).parent


def render_models(bundle: Bundle, header: str) -> str:
    """Source text of the module that defines the object models of ``bundle``."""
    from datamodel_code_generator import InputFileType, LiteralType, PythonVersion, generate
    from datamodel_code_generator.enums import DataModelType
    from datamodel_code_generator.format import Formatter

    extra: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for name, docstring in bundle.docstrings.items():
        extra[name]["docstring"] = docstring
    for name, views in bundle.time_views.items():
        extra[name]["time_views"] = views
    for name, parts in bundle.name_views.items():
        extra[name]["name_views"] = parts
    imports = ["datetime.datetime", f"{SCALARS}.to_datetime"] if bundle.time_views else []
    if bundle.name_views:
        event = "binance_sdk._runtime.stream.stream_event"
        imports += ["typing.ClassVar", f"{event}.NamePartKind", f"{event}.part_of_name"]
    if any(view.upper for views in bundle.name_views.values() for view in views):
        imports.append("binance_sdk._runtime.calls.parameters.upper")
    with warnings.catch_warnings():
        # It warns where it guesses (a default of the wrong type, a name it changed); a guess must not be generated.
        warnings.simplefilter("error")
        out = generate(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": bundle.definitions},
            input_file_type=InputFileType.JsonSchema,
            output_model_type=DataModelType.PydanticV2BaseModel,
            target_python_version=PythonVersion.PY_311,
            base_class="binance_sdk._runtime.answers.model.Model",
            base_class_map=bundle.bases or None,
            aliases=bundle.aliases,
            type_overrides=bundle.overrides,
            custom_template_dir=_FOLDER / "templates" / "models",
            extra_template_data=extra,
            additional_imports=imports or None,
            enum_field_as_literal=LiteralType.All,
            use_annotated=True,
            field_constraints=True,
            strict_nullable=True,
            use_type_alias=True,
            skip_root_model=True,
            use_schema_description=True,
            use_field_description=True,
            use_inline_field_description=True,
            use_single_line_docstring=True,
            use_double_quotes=True,
            disable_timestamp=True,
            disable_future_imports=True,
            custom_file_header=header,
            allow_remote_refs=False,
            # Both settings keep the project file of the current folder from deciding line breaks.
            formatters=[Formatter.BUILTIN],
            builtin_format_line_length=120,
            settings_path=_FOLDER,
        )
    if not isinstance(out, str):
        raise TypeError(f"expected one module, got {type(out).__name__}")
    return out
