"""Reference texts that Python brings along, so that a language model can be tried without a download."""

from __future__ import annotations

import hashlib
import platform

from data.source import Source

#: A paragraph of so many characters is kept only where it stands first: topics quote one another.
QUOTED = 40


def sample() -> tuple[list[tuple[str, str]], Source]:
    """What `help()` says on Python's own topics: (name, text) each, some 350,000 characters in all.

    The texts are those of the Python that runs, so that their hash tells one version from another.
    """
    from pydoc_data.topics import topics

    seen: set[str] = set()
    documents = []
    for name in sorted(topics):
        kept = []
        for paragraph in topics[name].strip().split("\n\n"):
            words = " ".join(paragraph.split())
            if len(words) < QUOTED or words not in seen:
                kept.append(paragraph)
            seen.add(words)
        documents.append((name, "\n\n".join(kept) + "\n\n"))
    digest = hashlib.sha256("".join(f"{name}\0{text}\0" for name, text in documents).encode()).hexdigest()
    note = f"the reference texts that Python {platform.python_version()} ships, without what is said twice"
    return documents, Source("sample", None, digest, True, note)
