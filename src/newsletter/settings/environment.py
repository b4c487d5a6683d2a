"""Environment variables that stand in for settings: NEWSLETTER_SECTION_KEY and NEWSLETTER_RELAY_NAME_KEY.

They are laid over the tables before these are checked, so that one set of rules holds for both.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from newsletter.settings import schema
from newsletter.settings.places import Path

SECTIONS: Mapping[str, type[BaseModel]] = {
    "publication": schema.PublicationTable,
    "store": schema.StoreTable,
    "collect": schema.CollectTable,
    "deliver": schema.DeliverTable,
    "metrics": schema.MetricsTable,
}


def lay_over(raw: dict[str, Any], environment: Mapping[str, str]) -> dict[Path, str]:
    """Put the values of variables into `raw`, in place; returns which path came from which variable."""
    origins: dict[Path, str] = {}
    for path, variable, model in _places(raw):
        for name, field in model.model_fields.items():
            key = field.alias or name
            full_name = f"{variable}_{key.upper()}"
            if full_name in environment:
                table = _table_at(raw, path)
                # A secret given by the environment wins over the file that held it so far.
                for rival in (f"{key}_file", key.removesuffix("_file")):
                    table.pop(rival, None)
                table[key] = _typed(environment[full_name], field.annotation)
                origins[*path, key] = full_name
    return origins


def _places(raw: Mapping[str, Any]) -> Iterator[tuple[Path, str, type[BaseModel]]]:
    for section, model in SECTIONS.items():
        if isinstance(raw.get(section, {}), dict):
            yield (section,), f"NEWSLETTER_{section.upper()}", model
    relays = raw.get("relays")
    for index, relay in enumerate(relays if isinstance(relays, list) else []):
        if isinstance(relay, dict) and isinstance(relay.get("name"), str):
            name = re.sub(r"\W", "_", relay["name"]).upper()
            yield ("relays", index), f"NEWSLETTER_RELAY_{name}", schema.RelayTable


def _table_at(raw: dict[str, Any], path: Path) -> dict[str, Any]:
    table: dict[str, Any] = raw["relays"][path[1]] if path[0] == "relays" else raw.setdefault(str(path[0]), {})
    return table


def _typed(text: str, kind: Any) -> object:
    """The text itself, or, for a key that is no text, what it would be in TOML."""
    if kind not in (int, bool) and get_origin(kind) not in (list, dict) and int not in get_args(kind):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
