"""What a tokenizer is given, checked: each error names the value, the limit and the likely fix."""

import operator
from collections.abc import Collection, Iterable, Mapping, Sequence

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


def checked_parts(
    vocab: Sequence[bytes], merges: Sequence[tuple[int, int]], specials: Mapping[str, int]
) -> list[int]:
    """The ids of the 256 bytes, then of what each merge makes, if all other tokens are special.

    Raises:
        ValueError: the byte, merge or token that is missing, too many, or there twice.
    """
    for text, number in specials.items():
        check_no_surrogates(text)
        if number not in range(len(vocab)) or vocab[number] != text.encode():
            raise ValueError(f"vocab has no special token {text!r} at its id, {number}")
    special_ids = {*specials.values()}
    id_of: dict[bytes, int] = {}
    for number, token in enumerate(vocab):
        if number in special_ids:
            continue
        if token in id_of:
            raise ValueError(f"tokens {id_of[token]} and {number} are both {_shown(token)}")
        id_of[token] = number
    check_special_tokens(specials, id_of)
    made = {bytes([byte]): byte for byte in range(256)}
    for rank, (left, right) in enumerate(merges):
        fit = 0 <= left < len(vocab) and 0 <= right < len(vocab)
        if not fit or left in special_ids or right in special_ids:
            raise ValueError(
                f"merge {rank} joins tokens {left} and {right}, not both ordinary ones"
            )
        whole = vocab[left] + vocab[right]
        if made.setdefault(whole, 256 + rank) != 256 + rank:
            raise ValueError(f"merge {rank} makes {_shown(whole)}, as {_source(made[whole])} does")
    for token, place in made.items():
        if token not in id_of:
            raise ValueError(f"{_source(place)} makes {_shown(token)}, which is no token of vocab")
    if others := id_of.keys() - made.keys():
        number = min(map(id_of.__getitem__, others))
        raise ValueError(
            f"token {number}, {_shown(vocab[number])}, is no byte, no merge makes it, and it is no "
            "special token"
        )
    return [id_of[token] for token in made]


def _source(place: int) -> str:
    return f"byte {place}" if place < 256 else f"merge {place - 256}"


def _shown(token: bytes) -> str:
    return repr(token.decode("utf-8", "backslashreplace"))


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
            f"{vocab_size - 1}; decode with the tokenizer that the ids, or their model, came from"
        )
    return numbers
