"""What a tokenizer is given, checked: each error names the value, the limit and the likely fix."""

import operator
from collections.abc import Collection, Iterable

from minigpt.tokenizer.tokenizer_json import CHARACTER_TO_BYTE, from_visible


def check_str(text: str) -> None:
    """Raise TypeError unless the text is a str."""
    if not isinstance(text, str):
        raise TypeError(f"text is {type(text).__name__}, not str; decode bytes to str first")


def check_no_surrogates(text: str) -> None:
    """Raise ValueError if half a surrogate pair stands alone: it is no character, has no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"text holds a lone surrogate, U+{ord(text[error.start]):04X}, at index {error.start}; "
            "it was cut or decoded wrongly: text.encode('utf-8', 'replace').decode() removes such"
        ) from None


def checked_training_text(text: str) -> str:
    """The text, if one can learn from it."""
    check_str(text)
    check_no_surrogates(text)
    if not text:
        raise ValueError("the training text is empty (0 characters); give some text")
    return text


def check_special_tokens(specials: Collection[str], ordinary: Collection[bytes]) -> None:
    """Raise unless the special tokens differ from each other and from all ordinary ones."""
    if isinstance(specials, str) or not all(isinstance(special, str) for special in specials):
        raise TypeError(f"special_tokens is {specials!r}; give a list of str")
    if "" in specials or len(set(specials)) < len(specials):
        raise ValueError(f"special_tokens {list(specials)} holds one twice or an empty one")
    for special in specials:
        check_no_surrogates(special)
        if not CHARACTER_TO_BYTE.keys() >= set(special):
            continue  # in a file, no ordinary token looks like it
        if from_visible(special) in ordinary or not special.isascii():
            raise ValueError(
                f"special token {special!r} looks like an ordinary token in a tokenizer.json; "
                "choose one such as '<|endoftext|>'"
            )


def checked_ids(ids: Iterable, vocab_size: int) -> list[int]:
    """The ids as a list of int, if all are in the vocabulary."""
    try:
        if isinstance(ids, (str, bytes)):
            raise TypeError(f"got {type(ids).__name__}")
        numbers = list(map(operator.index, ids.tolist() if hasattr(ids, "tolist") else ids))
    except TypeError as error:
        raise TypeError(
            f"ids must be one sequence of integers, such as [3, 1] or a 1-D tensor: {error}"
        ) from None
    if numbers and not 0 <= min(numbers) <= max(numbers) < vocab_size:
        at = next(at for at, number in enumerate(numbers) if not 0 <= number < vocab_size)
        raise ValueError(
            f"id {numbers[at]} at index {at} is not in the vocabulary, whose ids are 0 to "
            f"{vocab_size - 1}; was it made by another tokenizer?"
        )
    return numbers
