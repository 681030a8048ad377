"""What a process pays for memory it uses again and again."""

import subprocess
import sys

import pytest

FAULTS = """
import ctypes, resource, threading
from pipelines.allocator import keep_pages
{keep}
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

def work():
    for turn in range(5):
        if turn == 1:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        block = libc.malloc(ctypes.c_size_t(2**27))
        ctypes.memset(block, 1, 2**27)
        libc.free(block)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

{run}
"""


RUN = {"main": "work()", "another": "t = threading.Thread(target=work); t.start(); t.join()"}


def faults(keep: str, thread: str) -> int:
    code = FAULTS.format(keep=keep, run=RUN[thread])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other C libraries have other allocators")
@pytest.mark.parametrize("thread", RUN)
def test_large_blocks_are_used_again_without_page_faults(thread):
    anew, kept = faults("", thread), faults("assert keep_pages()", thread)
    assert anew > 4 * 2**27 / 2**21  # at least one for each page of 2 MiB, four times
    assert kept < anew / 100


def test_other_systems_are_left_alone(monkeypatch):
    from pipelines import allocator

    monkeypatch.setattr(sys, "platform", "darwin")
    assert not allocator.keep_pages()
