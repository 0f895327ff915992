"""Hand-outs of a chapter's exercises, and the keys to them."""
