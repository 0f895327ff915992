"""Byte-pair encoding as pure functions: learn merges from words, apply merges to a word.

A *word* is a string in which one character stands for one token: ``chr(0)`` to ``chr(255)`` are
the 256 bytes, in any fixed order, and ``chr(256 + rank)`` is the token made by the merge of that
rank. So a pair of adjacent tokens is a string of two characters, ``str.replace`` is a merge, left
to right, at the speed of C, and comparing two tokens compares their ranks.

The algorithm is Gage (1994), "A New Algorithm for Data Compression", used for words by Sennrich,
Haddow and Birch (2016), "Neural Machine Translation of Rare Words with Subword Units", section
3.2, and for bytes by Radford et al. (2019), "Language Models are Unsupervised Multitask
Learners", section 2.2.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from heapq import heapify, heappop, heappush, heapreplace
from itertools import pairwise
from operator import concat

FIRST_MERGE = 256  # the tokens before it are the bytes
LONG_WORD = 32  # bytes; in longer words a heap of positions beats repeated replacing


def count_pairs(words: list[str], counts: list[int]) -> tuple[dict[str, int], dict[str, list[int]]]:
    """How often each pair occurs, and the indices of the words that hold it.

    ``words[i]`` occurs ``counts[i]`` times in the text. An index may appear more than once.

    Derived in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    pair_counts, where = defaultdict(int), defaultdict(list)
    for index, (word, count) in enumerate(zip(words, counts, strict=True)):
        for left, right in pairwise(word):
            pair_counts[left + right] += count
            where[left + right].append(index)
    return pair_counts, where


def changes(word: str, pair: str, token: str) -> Iterator[tuple[str, str]]:
    """The (lost, gained) pairs around each ``token`` of a word in which it replaced ``pair``.

    A neighbour that is itself a new token was the old pair before: its lost pair is read there.

    Derived in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    left, right = pair
    at = word.find(token)
    while at >= 0:
        if at > 0:
            before = word[at - 1]
            yield (right if before == token else before) + left, before + token
        after = word[at + 1 : at + 2]
        if after and after != token:  # two new tokens in a row: counted from the second one
            yield right + after, token + after
        at = word.find(token, at + 1)


def most_frequent(heap: list[tuple[int, str]], pair_counts: dict[str, int]) -> str | None:
    """Pop the most frequent pair; among equals the smallest; None when no pair is left.

    Counts in the heap may be too high, never too low: a pair's count only falls once it is there.
    So the top is either right, or corrected and put back.

    Derived in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    while heap:
        count, pair = heap[0]
        if pair_counts[pair] == -count:
            return heappop(heap)[1]
        if pair_counts[pair] > 0:
            heapreplace(heap, (-pair_counts[pair], pair))
        else:
            heappop(heap)
    return None


def learn_merges(word_counts: dict[str, int]) -> Iterator[str]:
    """Yield merges (pairs), until every word is one token.

    Each is the most frequent pair; among equals the one with the smaller left token, then the
    smaller right one. ``word_counts`` maps each distinct word to how often it occurs. The cost
    grows with the distinct words, not with the text: a merge touches only those with its pair.

    Derived in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    words, counts = list(word_counts), list(word_counts.values())
    pair_counts, where = count_pairs(words, counts)
    heap = [(-count, pair) for pair, count in pair_counts.items()]
    heapify(heap)
    rank = 0
    while pair := most_frequent(heap, pair_counts):
        yield pair
        token, gained_pairs = chr(FIRST_MERGE + rank), set()
        for index in set(where.pop(pair)):
            if pair not in words[index]:
                continue  # an earlier merge took one of its halves
            words[index] = words[index].replace(pair, token)
            for lost, gained in changes(words[index], pair, token):
                pair_counts[lost] -= counts[index]
                pair_counts[gained] += counts[index]
                where[gained].append(index)
                gained_pairs.add(gained)
        for gained in gained_pairs:
            heappush(heap, (-pair_counts[gained], gained))
        rank += 1


def apply_merges(word: str, merges: Mapping[str, str]) -> str:
    """Encode one word: merge its pair of lowest rank, everywhere, until it holds none.

    ``merges`` maps a pair to its token. The lowest rank is the smallest token.

    Derived in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    while pairs := merges.keys() & map(concat, word, word[1:]):
        pair = min(pairs, key=merges.__getitem__)
        word = word.replace(pair, merges[pair])
    return word


def apply_merges_long(word: str, merges: Mapping[str, str]) -> str:
    """The same tokens in n log n steps: a heap of pairs by (rank, position), a linked list.

    A text without spaces is one word: 100,000 letters would take ``apply_merges`` minutes.

    Derived in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    tokens, end = list(word), len(word)
    before, after = list(range(-1, end - 1)), list(range(1, end + 1))
    pairs = map(concat, word, word[1:])
    heap = [(merges[pair], at) for at, pair in enumerate(pairs) if pair in merges]
    heapify(heap)
    while heap:
        token, at = heappop(heap)
        right = after[at]
        if right == end or merges.get(tokens[at] + tokens[right]) != token:
            continue  # one of the two was merged since
        tokens[at], tokens[right] = token, ""
        left, after[at] = before[at], after[right]
        if after[at] < end:
            before[after[at]] = at
            if merged := merges.get(token + tokens[after[at]]):
                heappush(heap, (merged, at))
        if left >= 0 and (merged := merges.get(tokens[left] + token)):
            heappush(heap, (merged, left))
    return "".join(tokens)
