"""Ratings files: what is read, and what is refused in which words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.ratings import DataError, Rated, read_ratings, standardise

HEADER = "image,dataset,group,score_0_9,fold\n"


def _write(folder: Path, text: str | bytes) -> Path:
    path = folder / "ratings.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_rows_are_read(tmp_path: Path) -> None:
    """Each row becomes a rating; columns we do not use may stand there."""
    path = _write(tmp_path, "image,raters,dataset,other,group,score_0_9,fold\na.jpg,60,scut,x,g,4.5,3\n")
    assert read_ratings(path) == [Rated("a.jpg", "scut", "g", 4.5, 3, 60)]


def test_only_image_and_score_are_needed(tmp_path: Path) -> None:
    """The data set is named after the file, there is no group, and the fold hangs on the name alone."""
    path = _write(tmp_path, "image,score\n" + "".join(f"{i}.jpg,{i % 10}\n" for i in range(200)))
    rated = read_ratings(path)
    assert {(row.dataset, row.group, row.raters) for row in rated} == {("ratings", "", None)}
    assert [row.score for row in rated[:3]] == [0, 1, 2]
    folds = [row.fold for row in rated]
    assert set(folds) == {0, 1, 2, 3, 4}
    assert [row.fold for row in read_ratings(_write(tmp_path, "image,score\n7.jpg,1\n"))] == [folds[7]]


@pytest.mark.parametrize(
    ("text", "scale", "score"),
    [
        ("image,score,low,high\na.jpg,3,1,5\n", None, 4.5),
        ("image,score\na.jpg,10\n", (1, 10), 9),
        ("image,score,low,high\na.jpg,0,-1,1\n", (0, 100), 0),
        ("image,score,low,high,score_0_9\na.jpg,3,1,5,4.4\n", None, 4.4),
        ("image,score_0_9\na.jpg,9\n", None, 9),
    ],
)
def test_scores_are_stretched_to_nine(
    tmp_path: Path, text: str, scale: tuple[float, float] | None, score: float
) -> None:
    """From the row's own scale or the one given; `score_0_9` is taken as it stands."""
    assert read_ratings(_write(tmp_path, text), scale)[0].score == pytest.approx(score)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [b",", b";", b"\t"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_files_of_other_programs(tmp_path: Path, mark: bytes, delimiter: bytes, end: bytes) -> None:
    """A byte order mark, other delimiters and line ends, quotes, spaces in the header, empty lines."""
    fields = (b"image", b"score"), (b'"\xc3\xa4, b.jpg"', b" 4 "), ()
    text = end.join(delimiter.join(row) for row in fields).replace(b"score", b" score ")
    [rated] = read_ratings(_write(tmp_path, mark + text))
    assert (rated.image, rated.score) == ("ä, b.jpg", 4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"ratings\.csv is empty"),
        ("\n\n", r"ratings\.csv is empty"),
        (HEADER, r"ratings\.csv holds no ratings"),
        ("photo,score\na,1\n", r"line 1: no column 'image'; the columns are photo, score"),
        ("image,beauty\na,1\n", r"line 1: no column 'score_0_9' or 'score'"),
        ("image,score,low\na,1,0\n", r"line 1: 'low' and 'high' belong together"),
        ("image,score,score\na,1,2\n", r"line 1: column 'score' stands there twice"),
        ("image,score\na,1\nb\n", r"line 3: not as many fields as the header's 2"),
        ("image,score\na,1\nb,1,2\n", r"line 3: not as many fields as the header's 2"),
        ("image,score\na,one\n", r"line 2: score is 'one', not a number"),
        ("image,score\na,\n", r"line 2: score is '', not a number"),
        ("image,score\na,nan\n", r"line 2: score is 'nan', not a finite number"),
        ("image,score\na,-inf\n", r"line 2: score is '-inf', not a finite number"),
        ("image,score\na,10\n", r"line 2: score is 10, outside 0\.\.9 \(its scale\?"),
        ("image,score,low,high\na,6,1,5\n", r"line 2: score is 6, outside 1\.\.5"),
        ("image,score,low,high\na,5,5,5\n", r"line 2: the scale 5\.\.5 does not rise"),
        ("image,score,low,high\na,5,x,5\n", r"line 2: low is 'x', not a number"),
        (HEADER + "a,d,g,9.1,0\n", r"line 2: score_0_9 is 9\.1, outside 0\.\.9$"),
        (HEADER + "a,d,g,-1,0\n", r"line 2: score_0_9 is -1, outside"),
        (HEADER + "a,d,g,1,first\n", r"line 2: fold is 'first', not a number"),
        (HEADER + "a,d,g,1,1.5\n", r"line 2: fold is '1\.5', not a whole number"),
        (HEADER + "a,d,g,1,-1\n", r"line 2: fold is '-1', not a whole number"),
        ("image,score\na,1\nb,1\n./a,2\n", r"line 4: './a' stands in line 2 already"),
        ("image,score\n ,1\n", r"line 2: no image is named"),
        ("image,score\n/etc/a,1\n", r"line 2: image '/etc/a' leads out"),
        ("image,score\nb/../../a,1\n", r"line 2: image 'b/\.\./\.\./a' leads out"),
        ("image,score\n..\\a,1\n", r"line 2: image .* leads out"),
        ("image,score\nC:\\a,1\n", r"line 2: image .* leads out"),
        ("image,score\na\x1b[2J,1\n", r"line 2: image 'a\\x1b\[2J' holds a control character"),
        ("image,score\na\x00,1\n", r"line 2: image 'a\\x00' holds a control character"),
        ('image,score\n"a,1\n', r"line 2: unexpected end of data"),
        ("image,score\na,1\nm\u00fcller,1\n".encode("latin-1"), r"line 3: not UTF-8 text"),
        ("image,score\na,1\n".encode("utf-16"), r"line 1: not UTF-8 text"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, text: str | bytes, words: str) -> None:
    """One line with the file, the line, and what is wrong."""
    with pytest.raises(DataError, match=words) as caught:
        read_ratings(_write(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert "ratings.csv" in str(caught.value)


def test_a_scale_that_does_not_fit(tmp_path: Path) -> None:
    """A scale that falls, and one for a score that is not there."""
    path = _write(tmp_path, "image,score\na,1\n")
    with pytest.raises(DataError, match=r"the scale 5\.\.1 does not rise"):
        read_ratings(path, (5, 1))
    path = _write(tmp_path, "image,score_0_9\na,1\n")
    with pytest.raises(DataError, match="no column 'score'"):
        read_ratings(path, (1, 5))


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    """Neither a missing file nor a folder is a traceback."""
    with pytest.raises(DataError, match=r"none\.csv: No such file"):
        read_ratings(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"Is a directory"):
        read_ratings(tmp_path)


def test_scores_are_standardised_within_their_data_set() -> None:
    """Each data set gets mean 0 and deviation 1, whatever scale its people used."""
    low = [Rated(f"{i}", "low", "g", score, 0) for i, score in enumerate([1.0, 2.0, 3.0])]
    high = [Rated(f"{i}", "high", "g", score, 0) for i, score in enumerate([6.0, 7.0, 9.0])]
    targets = standardise([*low, *high])
    for part in (targets[:3], targets[3:]):
        assert abs(part.mean()) < 1e-6
        assert abs(part.std() - 1) < 1e-6


@pytest.mark.parametrize("scores", [[4.1], [4.1, 4.1, 4.1]])
def test_a_data_set_without_spread_gives_zeros(scores: list[float]) -> None:
    """One row, or equal scores: nothing is divided by nothing."""
    rated = [Rated(str(i), "same", "g", score, 0) for i, score in enumerate(scores)]
    targets = standardise([*rated, Rated("x", "other", "g", 1.0, 0), Rated("y", "other", "g", 2.0, 0)])
    assert targets[:-2].tolist() == [0.0] * len(scores)
    assert targets[-2:].tolist() == [-1.0, 1.0]
    assert targets.dtype == np.float32
