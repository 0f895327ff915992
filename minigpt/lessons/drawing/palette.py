"""The book's colours: as the pages have them in `book/assets/site/colours.css` (tested)."""

# Told apart with any colour vision, at least 3 to 1 against white and against dark pages.
HUES = ("#1f699f", "#b95100", "#2a9465", "#e06d9a", "#949a00", "#4891fa", "#8456d6", "#805a69")
BLUE, ORANGE, GREEN, PINK, OLIVE, SKY, VIOLET, MAUVE = HUES

# Backgrounds of tokens on light pages, and the text on them.
TOKENS = ("#c5d8e6", "#edd2bd", "#c8e3d7", "#f7d9e5", "#e3e5bd", "#dfd3f4")
TOKEN_TEXT = "#1c2128"

MARK = "#57606b"  # rulers and other marks that stand for no data; dark pages replace it
