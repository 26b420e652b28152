"""The command line among other programs: pipes, terminals, interrupts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

import truemeans
from commands import COMMAND, IRIS, Terminal, enter, rows, words
from truemeans.cli.signals import ending_cleanly


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    return enter(tmp_path, monkeypatch)


class TestPipes:
    def test_in_and_out(self, folder):
        done = subprocess.run(
            [*COMMAND, *words("fit - -k 3 -o -")],
            input=IRIS.read_bytes(),
            capture_output=True,
        )
        assert done.returncode == 0
        assert done.stdout.count(b"\n") == 151
        assert b"standard input: 150 rows" in done.stderr
        assert os.listdir(folder) == []

    def test_binary_in_and_out(self, folder):
        pq.write_table(pacsv.read_csv(IRIS), "t.parquet")
        call = [*COMMAND, *words("fit - -k 3 -o - --input-format parquet -q")]
        done = subprocess.run(call, input=Path("t.parquet").read_bytes(), capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")
        assert pq.read_table(pa.BufferReader(done.stdout)).num_columns == 5

    def test_files_are_named_after_standard_input(self, folder):
        call = [*COMMAND, *words("fit - -k 3 -q")]
        done = subprocess.run(call, input=IRIS.read_bytes(), capture_output=True)
        assert (done.returncode, done.stdout) == (0, b"")
        assert sorted(os.listdir(folder)) == ["stdin.labelled.csv", "stdin.truemeans"]

    def test_streams_that_are_closed(self):
        fit = [*COMMAND, "fit", str(IRIS), *words("-k 3 -q -m m -f")]
        for line in (fit, [*COMMAND, "info", "m"]):
            done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *line], stderr=subprocess.PIPE)
            assert (done.returncode, done.stderr) == (0, b"")
        line = ["sh", "-c", '"$@" <&-', "sh", *COMMAND, *words("fit - -k 3")]
        done = subprocess.run(line, stderr=subprocess.PIPE)
        assert done.returncode == 2
        assert done.stderr.startswith(b"truemeans: standard input is closed")

    def test_pandas_is_not_imported(self, folder, monkeypatch):
        # It would be by pyarrow, which takes Ctrl-C meanwhile for "no pandas".
        Path("pandas.py").write_text("raise SystemExit('pandas was imported')")
        monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{os.environ['PYTHONPATH']}")
        for output in ("t.csv", "t.parquet"):
            fit = [*COMMAND, "fit", str(IRIS), *words(f"-k 3 -q -f -m m -o {output}")]
            predict = [*COMMAND, "predict", "m", output, *words("-q -f -o p.csv")]
            for line in (fit, predict):
                done = subprocess.run(line, capture_output=True)
                assert (done.returncode, done.stderr) == (0, b"")

    @pytest.mark.skipif(os.name != "posix", reason="names are text elsewhere")
    def test_a_name_that_is_no_text(self, folder):
        name = b"caf\xe9.csv"
        Path(os.fsdecode(name)).write_bytes(IRIS.read_bytes())
        done = subprocess.run([*COMMAND, "fit", name, *words("-k 3 -q")], capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")

    def test_empty_standard_input(self):
        call = [*COMMAND, *words("fit - -k 3")]
        done = subprocess.run(call, input=b"", capture_output=True)
        assert done.returncode == 2
        assert done.stderr.startswith(b"truemeans: standard input is empty")

    def test_a_pipe_with_a_name(self):
        reader, writer = os.pipe()
        os.write(writer, IRIS.read_bytes())
        os.close(writer)
        call = [*COMMAND, "fit", f"/dev/fd/{reader}", *words("-k 3 --input-format csv -o - -q")]
        done = subprocess.run(call, pass_fds=[reader], capture_output=True)
        os.close(reader)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.count(b"\n") == 151

    def test_reader_goes_away(self, folder):
        n = 200_000
        pq.write_table(pa.table({"a": np.arange(n) % 7, "b": np.arange(n) % 5}), "t.parquet")
        truemeans.KMeans(2).fit(rows()).save("m")
        for line in ("fit t.parquet -k 2 -o - --format csv -q", "info m", "info m --json"):
            call = [*COMMAND, *words(line)]
            with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                process.stdout.close()
                err = process.stderr.read()
            assert (process.returncode, err) == (141, b"")
        assert sorted(os.listdir(folder)) == ["m", "t.parquet"]

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
    def test_full_disk(self):
        with open("/dev/full", "wb") as full:
            call = [*COMMAND, *f"fit {IRIS} -k 3 -o - -q".split()]
            done = subprocess.run(call, stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == 2
        assert done.stderr == b"truemeans: output: No space left on device\n"


def slow_table() -> None:
    """Write rows that take many seconds to cluster."""
    X = np.random.default_rng(0).normal(size=(400_000, 6)).astype(np.float32)
    pq.write_table(pa.table({c: X[:, j] for j, c in enumerate("abcdef")}), "slow.parquet")


class TestTerminal:
    @pytest.mark.parametrize(
        ("columns", "pattern"),
        [(80, "Share +sepal_length"), (60, r"petal_length +\d\.\d{3} +\d"), (30, r"50 +33\.3 %")],
    )
    def test_the_table_fits(self, columns, pattern):
        terminal = Terminal(["fit", str(IRIS), "-k", "3"], columns)
        assert terminal.wait() == 0
        text = re.sub(r"\x1b\[[0-9;]*m", "", terminal.seen).replace("\r", "")
        assert re.search(pattern, text)
        table = text[text.index("Cluster") : text.index("Time")]
        assert max(map(len, table.splitlines())) <= columns

    def test_progress_and_interrupt(self, folder):
        slow_table()
        line = "fit slow.parquet -k 500 -o a.parquet -m b --threads 1"
        terminal = Terminal(words(line))
        terminal.read(until="labels changed")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.wait() == 130
        assert "interrupted; no unfinished file is left behind" in terminal.seen
        assert "Traceback" not in terminal.seen
        assert os.listdir(folder) == ["slow.parquet"]

    def test_interrupt_without_a_terminal(self, folder):
        call = [*COMMAND, *words("fit - -k 3")]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with subprocess.Popen(call, **pipes) as process:
            # More than a pipe holds: once it is written, the command is reading.
            process.stdin.write(b"1,2\n" * 200_000)
            process.stdin.flush()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()
        assert process.returncode == 130
        assert out == b""
        assert err == b"truemeans: interrupted; no unfinished file is left behind\n"
        assert os.listdir(folder) == []

    @pytest.mark.parametrize(
        ("number", "name"), [(signal.SIGTERM, "SIGTERM"), (signal.SIGHUP, "SIGHUP")]
    )
    def test_asked_to_end_while_a_file_is_written(self, folder, number, name):
        # Writing takes a moment; here it takes until the signal comes.
        code = """
import os, sys, time
from truemeans.cli import main
os.fsync = lambda handle: (print("writing", flush=True), time.sleep(60))
sys.exit(main(sys.argv[1:]))
"""
        Path("out.csv").write_text("what was there\n")
        line = ["fit", str(IRIS), *words("-k 3 -o out.csv --force")]
        pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
        with subprocess.Popen([sys.executable, "-c", code, *line], **pipes) as process:
            assert process.stdout.readline() == b"writing\n"
            assert any(name.endswith(".part") for name in os.listdir(folder))
            process.send_signal(number)
            _, err = process.communicate(timeout=30)
        assert process.returncode == 128 + number
        last = f"truemeans: ended by {name}; no unfinished file is left behind\n"
        assert err.decode().endswith(last)
        assert os.listdir(folder) == ["out.csv"]
        assert Path("out.csv").read_text() == "what was there\n"

    def test_handlers_of_others_are_left_alone(self):
        kept = []
        before = signal.signal(signal.SIGTERM, lambda *_: kept.append(1))
        try:
            with ending_cleanly():
                os.kill(os.getpid(), signal.SIGTERM)
                assert kept == [1]
                assert signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
        finally:
            signal.signal(signal.SIGTERM, before)
