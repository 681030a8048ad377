"""How the C library hands memory out, which decides what large activations cost."""

from __future__ import annotations

import ctypes
import sys

#: Of glibc's malloc.h: M_MMAP_MAX, no block is mapped by itself; M_TRIM_THRESHOLD, the heap's end is not given back;
#: M_ARENA_MAX, all threads share one heap, since the others' hold no block above 64 MiB and map it by itself after all.
SETTINGS = ((-4, 0), (-1, 2**31 - 1), (-8, 1))


def keep_pages() -> bool:
    """Freed memory stays with the process, to be used again; True where that can be asked for (glibc on Linux).

    By itself glibc maps each block above a few MiB anew and gives it back when it is freed, so that every training step
    pays a page fault for each 4 KiB of its activations: half the time of a step on long sequences. The peak of the
    process's memory stays as it is; what it holds after the peak does not shrink. A thread that has asked for memory
    before keeps the heap that it has, so this is best called before TensorFlow starts its threads.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(name, value) for name, value in SETTINGS)
