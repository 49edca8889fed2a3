"""The download of GRID and of the landmark model, from a server on this machine that misbehaves when told to."""

import hashlib
import io
import json
import random
import shutil
import stat
import struct
import threading
import time
import zipfile
from argparse import Namespace
from collections import defaultdict
from contextlib import suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pcpg import commands
from pcpg.corpora import fetch, grid, unpack
from pcpg.corpora.base import Clip
from pcpg.corpora.download import download_grid
from pcpg.corpora.fetch import CHUNK, Remote
from pcpg.corpora.grid_align import covering
from pcpg.corpora.raw import prepare_corpus
from pcpg.mouths.detector import MODEL, locate_model
from pcpg.settings.corpus import GridRaw
from pcpg.settings.load import from_mapping, load
from pcpg.settings.yaml_file import read_yaml
from pcpg.workspace.errors import InputError
from pcpg.workspace.paths import Paths
from pcpg.workspace.rows import write_rows

MODEL_COPY = Path(__file__).parents[3] / "shared" / "models" / "face_landmarker.task"
BODY = random.Random(1).randbytes(5 * CHUNK + 321)
NAMES = {  # three speakers of five sentences
    "s1": ["bbaf4p", "lrae3s", "swiz9a", "pgby1n", "sgiv8n"],
    "s2": ["srwi5a", "lgbd7n", "prax2p", "bbal7s", "lbid4p"],
    "s10": ["bgahzs", "pwik6a", "srau1n", "lgic5p", "pbwm2s"],
}
ALIGNED_AS = {"s2": "s1", "s3": "s2"}  # folder in the archive: the speaker whose sentences it holds; s10 has none


class Handler(BaseHTTPRequestHandler):
    """Serves server.files; the next fault of server.faults[path], if any, decides how."""

    def do_GET(self):
        fault = self.server.faults[self.path].pop(0) if self.server.faults[self.path] else ()
        asked = self.headers.get("Range")
        self.server.log.append((self.path, asked))
        body = self.server.files.get(self.path)
        if body is None or (fault and fault[0] == "status"):
            return self.answer(404 if body is None else fault[1], b"no", fault[2] if len(fault) > 2 else {})
        if fault == ("corrupt",):
            body = bytes([body[0] ^ 1]) + body[1:]
        first = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and fault != ("no range",) else 0
        if first >= len(body):
            return self.answer(416, b"")
        told = {"Content-Range": f"bytes {first + (fault == ('shifted',))}-{len(body) - 1}/{len(body)}"}
        until = fault[1] if fault and fault[0] == "break" else None  # bytes of the file, then the connection is cut
        self.answer(206 if first else 200, body[first:], told if first else {}, body[first:until])

    def answer(self, status, body, headers=None, sent=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if sent is None else sent)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.files, server.faults, server.log = {}, defaultdict(list), []
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def pauses(monkeypatch):
    """What would have been slept, in s."""
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def md5(data):
    return f"md5:{hashlib.md5(data).hexdigest()}"


def offer(server, path="/file", body=BODY, **changes):
    server.files[path] = body
    return Remote(**{"url": server.url + path, "size": len(body), "checksum": md5(body)} | changes)


def zipped(files):
    """A zip of {name or ZipInfo: bytes}."""
    with io.BytesIO() as buffer:
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return buffer.getvalue()


def video(speaker, name):
    return random.Random(f"{speaker}/{name}").randbytes(900)


def align(name):
    return "".join(f"{1000 * k} {1000 * k + 1000} {word}\n" for k, word in enumerate(grid.sentence_of(name).split()))


@pytest.fixture
def zenodo(server, monkeypatch):
    """The server with a record like Zenodo's: three speakers, alignments partly under another one's name."""
    inner = {"s1": "s1/", "s2": "", "s10": "s10/video/mpg_6000/"}
    archives = {
        f"{speaker}.zip": zipped(
            {f"{inner[speaker]}{name}.mpg": video(speaker, name) for name in names}
            | {f"{inner[speaker]}Thumbs.db": b"", f"__MACOSX/{inner[speaker]}._{names[0]}.mpg": b"resource fork"}
        )
        for speaker, names in NAMES.items()
    }
    archives["alignments.zip"] = zipped(
        {
            f"alignments/{folder}/{name}.align": align(name)
            for folder, speaker in ALIGNED_AS.items()
            for name in NAMES[speaker]
        }
    )
    archives["audio_25k.zip"] = b"not wanted"
    for name, body in archives.items():
        server.files[f"/files/{name}"] = body
    rows = [
        {"key": name, "size": len(body), "checksum": md5(body), "links": {"self": f"{server.url}/files/{name}"}}
        for name, body in archives.items()
    ]
    server.files["/record"] = json.dumps({"id": 1, "files": rows}).encode()
    monkeypatch.setattr("pcpg.corpora.download.RECORD", f"{server.url}/record")
    return server


def replace(zenodo, name, body):
    """Another archive under `name`, which the record knows of."""
    record = json.loads(zenodo.files["/record"])
    next(row for row in record["files"] if row["key"] == name).update(size=len(body), checksum=md5(body))
    zenodo.files |= {f"/files/{name}": body, "/record": json.dumps(record).encode()}


def read(root):
    splits = dict(split="overlapped", test_speakers=[], test_sentences=1, lists=None, validation=0.25, split_seed=1)
    return grid.read(Namespace(speakers=None, **splits), root)


# One file


def test_a_file_is_fetched_once(server, tmp_path):
    remote, target = offer(server), tmp_path / "folder" / "file"
    for _ in range(2):
        fetch.fetch_file(remote, target)
        assert target.read_bytes() == BODY and server.log == [("/file", None)]
    assert [path.name for path in target.parent.iterdir()] == ["file"]
    target.write_bytes(BODY[:-1] + b"x")  # right size, wrong bytes
    fetch.fetch_file(remote, target)
    assert target.read_bytes() == BODY and len(server.log) == 2


def test_a_broken_connection_is_resumed(server, tmp_path, pauses, monkeypatch):
    monkeypatch.setattr(fetch, "TRIES", 2)
    server.faults["/file"] = [("break", 2 * CHUNK + 5), ("break", 4 * CHUNK), ()]
    fetch.fetch_file(offer(server), tmp_path / "file")  # tries count without progress alone
    assert server.log == [("/file", None), ("/file", f"bytes={2 * CHUNK}-"), ("/file", f"bytes={4 * CHUNK}-")]
    assert (tmp_path / "file").read_bytes() == BODY and pauses == [0, 0]


def test_a_server_that_ignores_range_begins_anew(server, tmp_path, pauses):
    server.faults["/file"] = [("break", 2 * CHUNK), ("no range",)]
    fetch.fetch_file(offer(server), tmp_path / "file")
    assert server.log == [("/file", None), ("/file", f"bytes={2 * CHUNK}-")]
    assert (tmp_path / "file").read_bytes() == BODY


@pytest.mark.parametrize("size", [None, len(BODY)])
def test_what_an_unfinished_file_cannot_be_is_not_continued(server, tmp_path, size):
    (tmp_path / "file.part").write_bytes(BODY[:CHUNK] if size is None else BODY + b"x")
    fetch.fetch_file(offer(server, size=size), tmp_path / "file")  # of a list whose size nobody tells, or too long
    assert server.log == [("/file", None)] and (tmp_path / "file").read_bytes() == BODY


def test_a_server_that_sends_another_range_is_not_believed(server, tmp_path, pauses):
    server.faults["/file"] = [("break", 2 * CHUNK), ("shifted",)]
    fetch.fetch_file(offer(server), tmp_path / "file")
    assert server.log[2] == ("/file", None) and (tmp_path / "file").read_bytes() == BODY


class Killed(BaseException):
    pass


class KilledAt:
    """A progress bar that ends the process, so to say, when `limit` bytes have come; notes what it was told."""

    def __init__(self, limit):
        self.limit, self.n = limit, 0

    def update(self, count):
        self.n += count
        if self.n >= self.limit:
            raise Killed


@pytest.mark.parametrize("limit", [3 * CHUNK, len(BODY)])
def test_a_killed_download_is_continued_by_the_next(server, tmp_path, limit):
    remote, target = offer(server), tmp_path / "file"
    with pytest.raises(Killed):
        fetch.fetch_file(remote, target, bar=KilledAt(limit))
    assert not target.exists() and (tmp_path / "file.part").read_bytes() == BODY[:limit]
    bar = KilledAt(10**9)
    fetch.fetch_file(remote, target, bar=bar)
    whole = limit == len(BODY)  # killed after the last byte: nothing is left to ask for
    assert server.log[1:] == ([] if whole else [("/file", f"bytes={limit}-")])
    assert target.read_bytes() == BODY and bar.n == len(BODY) - limit


def test_corrupt_bytes_are_thrown_away_and_fetched_again(server, tmp_path, pauses):
    server.faults["/file"] = [("corrupt",)]
    bar = KilledAt(10**9)
    fetch.fetch_file(offer(server), tmp_path / "file", bar=bar)
    assert server.log == [("/file", None)] * 2 and (tmp_path / "file").read_bytes() == BODY
    assert bar.n == len(BODY)  # back to 0 in between


def test_corrupt_bytes_for_good_are_an_error_and_leave_nothing(server, tmp_path, pauses, monkeypatch):
    monkeypatch.setattr(fetch, "TRIES", 4)
    server.faults["/file"] = [("corrupt",)] * 9
    remote = offer(server)
    with pytest.raises(InputError, match=rf"^{remote.url}: .* is not {remote.checksum}; given up after 4 tries.*file"):
        fetch.fetch_file(remote, tmp_path / "file")
    assert len(server.log) == 4 and pauses == [0, 2, 4] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("told", "problem"),
    [(len(BODY) + 7, "has fewer than|ended after"), (len(BODY) - 7, "more than")],
)
def test_a_wrong_size_is_an_error(server, tmp_path, pauses, monkeypatch, told, problem):
    monkeypatch.setattr(fetch, "TRIES", 3)
    with pytest.raises(InputError, match=problem):
        fetch.fetch_file(offer(server, size=told), tmp_path / "file")
    assert not (tmp_path / "file").exists() and 3 <= len(server.log) <= 4


def test_busy_servers_are_asked_again_when_they_say(server, tmp_path, pauses):
    soon = formatdate(0, usegmt=True)  # a date that has passed
    faults = [(429, {"Retry-After": "0"}), (429, {"Retry-After": "7"}), (503, {"Retry-After": soon}), (503, {})]
    server.faults["/file"] = [("status", *fault) for fault in [*faults, (500, {"Retry-After": "soon"})]]
    fetch.fetch_file(offer(server), tmp_path / "file")
    assert pauses == [0, 7, 0, 8, 16] and (tmp_path / "file").read_bytes() == BODY


def test_what_cannot_help_is_not_tried_again(server, tmp_path, pauses):
    remote = offer(server)
    server.faults["/file"] = [("status", 403), ("status", 429, {"Retry-After": "9999"})]
    with pytest.raises(InputError, match=f"^{server.url}/gone: HTTP 404 Not Found; wanted for {tmp_path}/file"):
        fetch.fetch_file(Remote(f"{server.url}/gone"), tmp_path / "file")
    with pytest.raises(InputError, match="/file: HTTP 403"):
        fetch.fetch_file(remote, tmp_path / "file")
    with pytest.raises(InputError, match="/file: HTTP 429 .*; asks for a pause of 9999 s"):
        fetch.fetch_file(remote, tmp_path / "file")
    assert len(server.log) == 3
    with pytest.raises(InputError, match="no scheme|No scheme"):
        fetch.fetch_file(Remote("example.org/file"), tmp_path / "file")
    (tmp_path / "taken").write_text("a file where the folder should be")
    with pytest.raises(InputError, match="taken/file"):
        fetch.fetch_file(remote, tmp_path / "taken" / "file")
    assert pauses == []


def test_a_server_that_is_not_there_is_named(server, tmp_path, pauses):
    server.server_close()
    with pytest.raises(InputError, match=rf"^{server.url}/file: the connection failed \(ConnectionError\); given up"):
        fetch.fetch_file(Remote(f"{server.url}/file"), tmp_path / "file")
    assert pauses == [0, 2, 4, 8, 16]


# GRID


def test_grid_is_downloaded_to_what_the_reader_expects(zenodo, tmp_path):
    root = tmp_path / "GRID"
    download_grid(root, None)
    clips, excluded, _, _ = read(root)
    assert [clip.speaker for clip in clips] == ["s1"] * 5 + ["s2"] * 5 + ["s10"] * 5 and excluded == []
    for speaker, names in NAMES.items():
        assert {path.name: path.read_bytes() for path in (root / speaker).iterdir()} == {
            f"{name}.mpg": video(speaker, name) for name in names
        }
        aligned = sorted(path.stem for path in (root / "alignments" / speaker).glob("*.align"))
        assert aligned == (sorted(names) if speaker in ALIGNED_AS.values() else [])
    assert sorted(path.name for path in (root / "archives").iterdir()) == ["alignments.zip", "record.json"]
    assert (root / "alignments/s2/srwi5a.align").read_text() == align("srwi5a")


def test_only_what_is_missing_is_fetched(zenodo, tmp_path, capsys):
    paths = [f"/files/{name}" for name in ("s2.zip", "alignments.zip", "s1.zip", "s10.zip")]
    download_grid(tmp_path, ["s2"])
    assert [path for path, _ in zenodo.log] == ["/record", *paths[:2]]
    download_grid(tmp_path, ["s2"])
    assert len(zenodo.log) == 3 and "nothing to download" in capsys.readouterr().err
    download_grid(tmp_path, ["s1", "s2"])
    download_grid(tmp_path, None)
    assert [path for path, _ in zenodo.log] == ["/record", *paths]
    download_grid(tmp_path, None)  # s10 has no .align files, which is no reason to ask for more
    assert len(zenodo.log) == 5
    shutil.rmtree(tmp_path / "s1")
    by_hand = tmp_path / "archives" / "s1.zip"
    by_hand.write_bytes(zenodo.files["/files/s1.zip"])
    download_grid(tmp_path, None)
    assert len(zenodo.log) == 5 and len(list((tmp_path / "s1").iterdir())) == 5
    kept = sorted(path.name for path in (tmp_path / "archives").iterdir())
    assert kept == ["alignments.zip", "record.json", "s1.zip"]  # the user's own stays, what was fetched goes


def test_a_download_broken_off_between_and_within_archives_goes_on(zenodo, tmp_path, pauses, monkeypatch):
    monkeypatch.setattr(fetch, "TRIES", 2)
    zenodo.faults["/files/s2.zip"] = [("status", 503)] * 2
    with pytest.raises(InputError, match="s2.zip: HTTP 503"):
        download_grid(tmp_path, ["s1", "s2"])
    assert (tmp_path / "s1").is_dir() and not (tmp_path / "s2").exists()
    download_grid(tmp_path, ["s1", "s2"])
    assert [path for path, _ in zenodo.log].count("/files/s1.zip") == 1 and len(read(tmp_path)[0]) == 10


def test_a_speaker_that_the_record_lacks_is_named_before_anything_is_fetched(zenodo, tmp_path):
    with pytest.raises(InputError, match="no speaker s21, s3; there are s1, s2, s10"):
        download_grid(tmp_path, ["s1", "s21", "s3"])
    assert [path for path, _ in zenodo.log] == ["/record"]


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>maintenance</html>",
        b"[]",
        b"{}",
        b'{"files": [{"key": "alignments.zip"}]}',
        b'{"files": [{"key": "alignments.zip", "size": 1, "checksum": "sha1:00", "links": {"self": "u"}}]}',
        b'{"files": [{"key": "alignments.zip", "size": null, "checksum": "md5:%032d", "links": {"self": "u"}}]}' % 0,
        b'{"files": [{"key": "alignments.zip", "size": 1, "checksum": "md5:%032d", "links": {"self": null}}]}' % 0,
        b'{"files": []}',
    ],
)
def test_an_answer_that_is_no_record_is_not_kept(zenodo, tmp_path, answer):
    good, zenodo.files["/record"] = zenodo.files["/record"], answer
    problem = "the record has no alignments.zip" if answer == b'{"files": []}' else "its answer is not a Zenodo record"
    with pytest.raises(InputError, match=f"/record: {problem}"):
        download_grid(tmp_path, ["s1"])
    zenodo.files["/record"] = good
    download_grid(tmp_path, ["s1"])
    assert len(read(tmp_path)[0]) == 5


def test_the_stage_raw_downloads(zenodo, tmp_path):
    """The record's list is there, so that make asks this server and not Zenodo."""
    root = tmp_path / "GRID"
    (root / "archives").mkdir(parents=True)
    (root / "archives" / "record.json").write_bytes(zenodo.files["/record"])
    settings = GridRaw(
        source="download",
        root=str(root),
        synthetic=None,
        speakers=["s1", "s2"],
        split="unseen",
        test_speakers=["s2"],
        test_sentences=0,
        lists=None,
        validation=0.25,
        split_seed=1,
    )
    with pytest.raises(InputError, match="holds no speaker folder"):
        prepare_corpus("grid", settings.model_copy(update={"source": "local"}), tmp_path / "data", workers=1)
    assert zenodo.log == []  # nobody is asked without being told to
    prepare_corpus("grid", settings, tmp_path / "data", workers=1)
    assert (tmp_path / "data" / "manifest.csv").read_text().count("\n") == 11
    assert sorted(path.name for path in root.iterdir()) == ["alignments", "archives", "s1", "s2"]


def test_two_jobs_that_need_one_copy_download_it_once(zenodo, tmp_path, monkeypatch):
    """GRID and words of GRID may name the same root; both would write the same unfinished files."""
    root, log = tmp_path / "GRID", []

    def download(root: Path, speakers: list[str]) -> None:
        log.append("begin")
        time.sleep(0.1)
        log.append("end")

    monkeypatch.setattr("pcpg.corpora.download.download_grid", download)
    settings = load(Path(__file__).parents[2] / "presets" / "grid-s1-cpu.yaml").corpora.grid.raw
    settings = settings.model_copy(update={"source": "download", "root": str(root)})

    def prepare(name: str) -> None:
        with suppress(InputError):  # the copy stays empty
            prepare_corpus("grid", settings, tmp_path / name, 1)

    jobs = [threading.Thread(target=prepare, args=[name]) for name in "ab"]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert log == ["begin", "end"] * 2


def test_an_archive_without_videos_is_named(zenodo, tmp_path):
    replace(zenodo, "s2.zip", zipped({"s2/srwi5a/1.jpg": b"picture"}))
    with pytest.raises(InputError, match=r"s2\.zip: holds no \.mpg file, but s2/srwi5a/1\.jpg"):
        download_grid(tmp_path, ["s2"])
    assert not (tmp_path / "s2").exists()


def test_folders_of_alignments_are_matched_by_their_names():
    clips = {f"clip{k}" for k in range(10)}
    other = {f"other{k}" for k in range(10)}
    assert covering({"s1": other | {"clip1"}, "s2": clips - {"clip1"}}, clips, "s9") == "s2"
    assert covering({"s1": other | {"clip1"}}, clips, "s9") is None
    part = {"s1": {f"clip{k}" for k in range(6)}, "s2": clips, "s3": {"clip1", "clip2"}}
    assert covering(part, clips, "s9") == "s2" and covering(part, clips, "s1") == "s1"  # one's own folder, if it fits
    assert covering({}, clips, "s9") is None and covering({"s1": clips}, set(), "s9") is None


def test_hidden_files_beside_videos_do_not_count_when_alignments_are_matched(zenodo, tmp_path):
    """As macOS leaves them, one a video: half of the clips must have an .align file, or half of the files a clip."""
    of_clips, others = NAMES["s2"][:3], [f"other{k}" for k in range(4)]
    replace(zenodo, "alignments.zip", zipped({f"align/s2/{name}.align": b"0 1 sil" for name in (*of_clips, *others)}))
    (tmp_path / "s2").mkdir()
    for name in NAMES["s2"]:
        for hidden in ("", "._"):
            (tmp_path / "s2" / f"{hidden}{name}.mpg").write_bytes(b"video")
    download_grid(tmp_path, ["s2"])
    assert len(list((tmp_path / "alignments/s2").iterdir())) == 7


# Archives


def entry(name, mode):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


UNSAFE = [
    ("../evil.mpg", 0, "leads out of the folder"),
    ("s1/../../evil.mpg", 0, "leads out of the folder"),
    ("s1\\..\\..\\evil.mpg", 0, "leads out of the folder"),
    ("/tmp/evil.mpg", 0, "has an absolute path"),
    ("\\tmp\\evil.mpg", 0, "has an absolute path"),
    ("C:\\evil.mpg", 0, "has an absolute path"),
    ("s1/link.mpg", stat.S_IFLNK | 0o777, "is a link"),
    ("s1/device.mpg", stat.S_IFCHR | 0o666, "is neither a file nor a folder"),
    ("s1/pipe", stat.S_IFIFO | 0o666, "is neither a file nor a folder"),
]


@pytest.mark.parametrize(("name", "mode", "problem"), UNSAFE, ids=[name for name, _, _ in UNSAFE])
def test_unsafe_entries_are_refused_by_name_and_nothing_is_written(zenodo, tmp_path, name, mode, problem):
    replace(zenodo, "s1.zip", zipped({"s1/bbaf4p.mpg": b"video", entry(name, mode): b"/etc/passwd"}))
    with pytest.raises(InputError) as raised:
        download_grid(tmp_path / "GRID", ["s1"])
    assert "s1.zip: refused" in str(raised.value) and f"{name!r} {problem}" in str(raised.value)
    assert {path.name for path in tmp_path.rglob("*")} == {"GRID", "archives", "record.json", "s1.zip"}


def unpacked(tmp_path, data, suffix=".mpg"):
    (tmp_path / "a.zip").write_bytes(data)
    with unpack.open_archive(tmp_path / "a.zip") as archive:
        entries = [entry for group in unpack.files_by_folder(archive, suffix).values() for entry in group]
        unpack.extract_files(archive, entries, tmp_path / "out")


def test_zip_bombs_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"a\.zip: refused: \d+ bytes would become 1000000"):
        unpacked(tmp_path, zipped({"a.mpg": bytes(10**6)}))
    unpacked(tmp_path, zipped({"a.mpg": BODY + bytes(len(BODY))}))  # half of it zeros: no bomb


@pytest.mark.parametrize("crc", ["of all", "of what is declared"])
def test_more_than_an_entry_declares_is_never_written(tmp_path, crc):
    data = bytearray(zipped({"a.mpg": bytes(10**6)}))
    at = data.rindex(b"PK\x01\x02")  # the central directory tells CRC at 16 and size at 24
    struct.pack_into("<L", data, at + 24, 1000)
    if crc == "of what is declared":
        struct.pack_into("<L", data, at + 16, zipfile.crc32(bytes(1000)))
        unpacked(tmp_path, data)
        assert (tmp_path / "out/a.mpg").stat().st_size == 1000
    else:
        with pytest.raises(InputError, match="a.zip: cannot be unpacked: Bad CRC-32"):
            unpacked(tmp_path, data)
        assert not (tmp_path / "out").exists()


def test_less_than_an_entry_declares_is_an_error(tmp_path):
    data = bytearray(zipped({"a.mpg": BODY[:1000]}))
    struct.pack_into("<L", data, data.rindex(b"PK\x01\x02") + 24, 1001)
    with pytest.raises(InputError, match="'a.mpg' is not as long|Bad CRC-32"):
        unpacked(tmp_path, data)
    assert not (tmp_path / "out").exists()


def test_damaged_and_unusable_archives_are_named(tmp_path):
    data = zipped({"a.mpg": BODY})
    wrong, stream = data[:500] + b"?" + data[501:], data[:35] + b"\xff" + data[36:]
    for broken in (wrong, stream, BODY, b"", data[:-30]):
        with pytest.raises(InputError, match="a.zip: cannot be unpacked"):
            unpacked(tmp_path, broken)
    encrypted = bytearray(zipped({"a.mpg": b"1"}))
    encrypted[encrypted.rindex(b"PK\x01\x02") + 8] |= 1
    encrypted[6] |= 1
    with pytest.raises(InputError, match="encrypted"):
        unpacked(tmp_path, encrypted)
    with pytest.raises(InputError, match="two files named a.mpg, the second y/a.mpg"):
        unpacked(tmp_path, zipped({"x/a.mpg": b"1", "y/a.mpg": b"2"}))
    assert not (tmp_path / "out").exists()


# The landmark model and the parameters


def test_the_model_is_fetched_unless_its_hash_is_there(server, tmp_path, monkeypatch):
    place = tmp_path / "models" / "face.task"
    remote = offer(server, checksum=f"sha256:{hashlib.sha256(BODY).hexdigest()}")
    monkeypatch.setattr("pcpg.mouths.detector.PLACE", place)
    monkeypatch.setattr("pcpg.mouths.detector.MODEL", remote)
    for requests in (1, 1):
        assert locate_model("download") == place
        assert place.read_bytes() == BODY and len(server.log) == requests
    place.write_bytes(b"an older release")
    assert locate_model("download").read_bytes() == BODY
    assert locate_model(None) is None
    assert locate_model("mine/face.task") == Path("mine/face.task") and len(server.log) == 2


@pytest.mark.skipif(not MODEL_COPY.is_file(), reason="no copy of the model beside the repository")
def test_the_pinned_model_is_the_one_we_have_and_the_stage_shard_takes_it(toy, monkeypatch):
    assert fetch.intact(MODEL_COPY, MODEL)
    monkeypatch.chdir(toy)
    (toy / "models").mkdir()
    shutil.copy(MODEL_COPY, "models/face_landmarker.task")
    text = Path("params.yaml").read_text().replace("landmarks: sidecar", "landmarks: mediapipe")
    Path("params.yaml").write_text(text.replace("landmark_model: null", "landmark_model: download", 1))
    settings = load("params.yaml")
    paths = Paths(settings.preset)
    paths.raw("grid").mkdir(parents=True)
    write_rows(paths.raw("grid") / "manifest.csv", Clip, [Clip("a", "a.mpg", "s1", "train", "now", -1, 0, 0)])
    asked = []
    monkeypatch.setattr("pcpg.mouths.shard.make_shard", lambda clips, out, cutter, *_: asked.append(cutter.model))
    commands.shard(Namespace(corpus="grid", shard=0), settings, paths)
    assert asked == [Path("models/face_landmarker.task")]


def test_parameters_of_a_download(root):
    mapping = read_yaml(root / "presets" / "paper.yaml")
    raw = mapping["corpora"]["grid"]["raw"]
    raw["source"] = "download"
    assert from_mapping(mapping, "mine.yaml").corpora.grid.raw.source == "download"
    raw["speakers"] = ["s1", "s2", "s3"]
    with pytest.raises(InputError, match="test_speakers: s20 is not one of s1, s2, s3"):
        from_mapping(mapping, "mine.yaml")
    raw["root"] = None
    with pytest.raises(InputError, match=r"corpora\.grid\.raw\.root: missing for source: download"):
        from_mapping(mapping, "mine.yaml")
    mapping = read_yaml(root / "presets" / "paper.yaml")
    mapping["corpora"]["lrw"]["raw"]["source"] = "download"
    with pytest.raises(InputError, match=r"corpora\.lrw\.raw\.source: 'download' is not one of synthetic, local"):
        from_mapping(mapping, "mine.yaml")
