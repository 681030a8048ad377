"""N-gram probabilities in Python, from dictionaries of counts, one window and one next token at a time."""

from __future__ import annotations

from collections import Counter, defaultdict


def contexts(row, t):
    """What is read at step t, from nothing to all since the last padding, which is 0."""
    for n in range(t + 2):
        if n and row[t - n + 1] == 0:
            return
        yield tuple(int(i) for i in row[t - n + 1 : t + 1])


class Reference:
    """p(next | context), by Witten and Bell or by modified Kneser-Ney."""

    def __init__(self, ids, targets, vocabulary, context, smoothing):
        self.vocabulary, self.context, self.smoothing = vocabulary, context, smoothing
        self.counts = [defaultdict(Counter) for _ in range(context + 1)]
        self.left = [defaultdict(set) for _ in range(context + 1)]
        steps = [(list(contexts(r, t)), int(c)) for r, y in zip(ids, targets, strict=True) for t, c in enumerate(y)]
        for n in range(context + 1):
            for before, c in steps:
                if c >= 0 and len(before) > n and self.known(before[n]):
                    self.counts[n][before[n]][c] += 1
        for before, c in steps:
            known = [w for w in before[: context + 1] if c >= 0 and self.known(w)]
            for w, longer in zip(known, [*known[1:], None], strict=False):
                self.left[len(w)][w, c].add(longer and longer[0])

    def known(self, w):
        """Whether a context came next itself, as its last token after the others."""
        return not w or w[-1] in self.counts[len(w) - 1].get(w[:-1], {})

    def of(self, n, w):
        """The counts after a context of n tokens, empty if there are none."""
        if self.smoothing == "witten_bell" or n == self.context:
            return self.counts[n].get(w, {})
        return {c: len(self.left[n][w, c]) for c in self.counts[n].get(w, {})}

    def discount(self, n, k):
        every = [v for w in self.counts[n] for v in self.of(n, w).values()]
        n1, n2, n3, n4 = (every.count(i) + 0.5 for i in (1, 2, 3, 4))
        first = n1 / (n1 + 2 * n2)
        return max(first, {1: first, 2: 2 - 3 * first * n3 / n2}.get(k, 3 - 4 * first * n4 / n3))

    def p(self, c, w):
        """Of c after the context w, of which the last `context` tokens are read."""
        found = 1 / self.vocabulary
        for n in range(min(len(w), self.context) + 1):
            counts = self.of(n, w[len(w) - n :])
            total, kinds = sum(counts.values()), len(counts)
            if not total:
                continue
            if self.smoothing == "witten_bell":
                own, left = counts.get(c, 0) / (total + kinds), kinds / (total + kinds)
            else:
                own = (counts[c] - self.discount(n, counts[c])) / total if c in counts else 0
                left = sum(self.discount(n, k) for k in counts.values()) / total
            found = own + left * found
        return found
