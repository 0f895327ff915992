"""What a ``tokenizer.json`` holds; whatever would give other ids than ours is refused by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minigpt.data.numbers import is_whole
from minigpt.tokenizer.tokenizer_json import (
    ANY_CHARACTER,
    BYTE_LEVEL,
    PLAIN_BPE,
    from_visible,
    split_on,
)

KINDS = {dict: "an object", list: "a list", str: "a text", int: "a whole number"}

NEVER_MATTERS = ("type", "unk_token", "fuse_unk")  # each byte is a token: none is unknown


def part(contents: Mapping[str, Any], key: str, kind: type, default: Any = None) -> Any:
    """What stands under a key of a file.

    Raises:
        ValueError: nothing, where there is no default, or something of another kind.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    value = contents.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        found = f"{value!r:.60}" if key in contents else "missing"
        raise ValueError(f"its {key} is {found}; it must be {KINDS[kind]}")
    return value


def check_model(path: str | Path, contents: Any, model_type: str) -> None:
    """Raise ValueError unless the contents of a file have a model of the given type.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    model = contents.get("model") if isinstance(contents, dict) else None
    model = model if isinstance(model, dict) else {}
    found = model.get("type", "BPE" if "merges" in model else None)  # old files name no type
    if found != model_type:
        raise ValueError(
            f"{path} is no tokenizer.json with a {model_type} model (it has {found!s:.60}): "
            "BPETokenizer opens BPE, CharTokenizer a WordLevel model of single characters, "
            "and open_tokenizer both"
        )


def parse_characters(contents: dict[str, Any]) -> list[str]:
    """The vocabulary that `save_characters` wrote; ValueError says what is different.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    _refuse_other_steps(contents, "Fuse")
    if contents.get("added_tokens"):
        raise ValueError("it has added_tokens, and characters alone are tokens here")
    if (steps := contents.get("pre_tokenizer")) != split_on(ANY_CHARACTER):
        raise ValueError(f"it cuts texts by {steps!r:.200}, and not into single characters")
    texts = _by_id(part(contents["model"], "vocab", dict))
    if long := [text for text in texts if len(text) != 1]:
        raise ValueError(f"token {long[0]!r:.60} is no single character")
    return texts


def parse_bpe(contents: dict[str, Any], default_pattern: str) -> dict[str, Any]:
    """What `save_bpe` wrote, or GPT-2's own file holds, as the arguments of ``BPETokenizer``.

    Raises:
        ValueError: what is missing, damaged, or would give other ids than ours.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    model = contents["model"]
    for setting, plain in PLAIN_BPE.items():
        if (model.get(setting) or None) != (plain or None) and setting not in NEVER_MATTERS:
            raise ValueError(
                f"{setting} is {model[setting]!r:.60}; this package has {plain!r} only"
            )
    _refuse_other_steps(contents, "ByteLevel")
    specials = dict(map(_special, part(contents, "added_tokens", list, [])))
    texts = _by_id(part(model, "vocab", dict) | specials)
    ids = {text: number for number, text in enumerate(texts)}
    merges = []
    for number, merge in enumerate(part(model, "merges", list)):
        pair = merge.split(" ") if isinstance(merge, str) else merge
        if not isinstance(pair, list) or [*map(type, pair)] != [str, str]:
            raise ValueError(f"merge {number} is {merge!r:.60}; it must be two tokens")
        if unknown := [half for half in pair if half not in ids]:
            raise ValueError(f"merge {number}, {pair!r:.90}, joins {unknown[0]!r:.60}, no token")
        merges.append((ids[pair[0]], ids[pair[1]]))
    return {
        "vocab": [
            text.encode("utf-8", "surrogatepass") if text in specials else _token_bytes(text)
            for text in texts
        ],
        "merges": merges,
        "special_tokens": specials,
        "pattern": _parse_pattern(contents.get("pre_tokenizer"), default_pattern),
    }


def _special(token: Any) -> tuple[str, int]:
    """Text and id of an added token, if it is found in texts as our special tokens are."""
    if not isinstance(token, dict):
        raise ValueError(f"its added_tokens hold {token!r:.60}; each must be an object")
    text, number = part(token, "content", str), part(token, "id", int)
    if any(token.get(side) for side in ("single_word", "lstrip", "rstrip")):
        raise ValueError(f"its special token {text!r:.60} takes the spaces beside it")
    if token.get("special") is not True:
        raise ValueError(f"its added token {text!r:.60} is no special one: it is recognised always")
    return text, number


def _by_id(ids: Mapping[str, Any]) -> list[str]:
    """The tokens in the order of their ids, if these are the numbers from 0 on."""
    texts: dict[int, str] = {}
    for text, number in ids.items():
        if not is_whole(number, 0):
            raise ValueError(f"token {text!r:.60} has the id {number!r:.60}, no whole number")
        if number in texts:
            raise ValueError(f"tokens {texts[number]!r:.60} and {text!r:.60} both have id {number}")
        texts[number] = text
    if not texts:
        raise ValueError("its vocab is empty")
    if gaps := {*range(len(texts))} - texts.keys():
        raise ValueError(f"no token has id {min(gaps)}, although there are ids to {max(texts)}")
    return [texts[number] for number in range(len(texts))]


def _token_bytes(text: str) -> bytes:
    try:
        return from_visible(text)
    except KeyError as error:
        raise ValueError(
            f"token {text!r:.60} holds {error.args[0]!r}, which stands for no byte, and is none of "
            "the added_tokens"
        ) from None


def _adds_tokens(step: Any) -> bool:
    """Whether the last step puts tokens around the text; transformers writes one that does not."""
    step = BYTE_LEVEL if step is None else step
    if not isinstance(step, dict):
        return True
    if step.get("type") == "Sequence" and isinstance(steps := step.get("processors"), list):
        return any(map(_adds_tokens, steps))
    only = step.get("single")
    plain = isinstance(only, list) and [*map(_names, only)] == [["Sequence"]]
    return step.get("type") != "ByteLevel" and not (plain and step["type"] == "TemplateProcessing")


def _names(step: Any) -> list[str]:
    return list(step) if isinstance(step, dict) else []


def _refuse_other_steps(contents: dict[str, Any], decoder: str) -> None:
    """Raise ValueError for a step around the model that would give other ids or texts than ours."""
    for step in ("truncation", "padding", "normalizer"):
        if contents.get(step):
            raise ValueError(
                f"its {step} is {contents[step]!r:.200}; this package has none: set it to null "
                "there if texts need none"
            )
    if _adds_tokens(contents.get("post_processor")):
        raise ValueError("its post_processor adds tokens around the text; this package adds none")
    found = contents.get("decoder") or {"type": decoder}
    if not isinstance(found, dict) or found.get("type") != decoder:
        raise ValueError(f"its decoder is {found!r:.200}; this package has {decoder} only")


def _parse_pattern(pre_tokenizer: Any, default_pattern: str) -> str | None:
    """The pattern that cuts text into words, None for a text that stays whole."""
    steps = [pre_tokenizer]
    if isinstance(pre_tokenizer, dict) and pre_tokenizer.get("type") == "Sequence":
        steps = pre_tokenizer.get("pretokenizers")
    if isinstance(steps, list) and steps and all(isinstance(step, dict) for step in steps):
        *splits, last = steps
        by_itself = last.get("use_regex", True)
        plain = last.get("type") == "ByteLevel" and last.get("add_prefix_space") is False
        if plain and isinstance(by_itself, bool):
            if not splits:
                return default_pattern if by_itself else None
            pattern = splits[0].get("pattern")
            pattern = pattern.get("Regex") if isinstance(pattern, dict) else None
            if isinstance(pattern, str) and splits == [split_on(pattern)] and not by_itself:
                return pattern
    raise ValueError(
        f"it cuts words by {pre_tokenizer!r:.300}; this package does by one regular expression, "
        "Isolated, then ByteLevel without add_prefix_space"
    )
