"""CSV files as people make them, and the split."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.datasets import BadDataset, Example, read_csv, split


@pytest.fixture
def csv_file(tmp_path: Path):
    def write(content: str | bytes) -> Path:
        path = tmp_path / "data.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


class TestReadCsv:
    def test_reads_text_and_label_whatever_else_there_is(self, csv_file):
        path = csv_file('id,label,text\n1,退货,"不要了,退"\n2,invoice, where\n')

        assert read_csv(path) == [Example("不要了,退", "退货"), Example("where", "invoice")]

    def test_byte_order_mark_of_spreadsheets_is_no_part_of_the_first_column(self, csv_file):
        assert read_csv(csv_file("\ufefftext,label\na,b\n")) == [Example("a", "b")]

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            ("", "lacks the column label, text"),
            ("text,intent\na,b\n", "lacks the column label"),
            ("text,label\n", "has no rows"),
            ("text,label\na,b\n,b\n", "line 3: text or label is empty"),
            ("text,label\na\n", "line 2: text or label is empty"),
            ("text,label\n退货,b\n".encode("gb18030"), "is not UTF-8"),
        ],
    )
    def test_unusable_file_is_refused_with_the_reason(self, csv_file, content, reason):
        from django.utils import translation

        with translation.override("en"), pytest.raises(BadDataset, match=reason):
            read_csv(csv_file(content))

    def test_missing_file_is_refused_by_name(self, tmp_path):
        with pytest.raises(BadDataset, match=r"nowhere\.csv"):
            read_csv(tmp_path / "nowhere.csv")


class TestSplit:
    def test_is_eight_to_two_in_each_label(self):
        examples = [Example(f"{label} {n}", label) for label in "ab" for n in range(50)]

        train, dev = split(examples, seed=42)

        assert Counter(example.label for example in train) == {"a": 40, "b": 40}
        assert Counter(example.label for example in dev) == {"a": 10, "b": 10}

    def test_same_seed_same_split_and_another_seed_another(self):
        examples = [Example(str(n), "a") for n in range(100)]

        assert split(examples, 1) == split(examples, 1)
        assert split(examples, 1) != split(examples, 2)

    @given(
        st.lists(st.sampled_from("abcde"), max_size=60), st.integers(min_value=0, max_value=2**32)
    )
    def test_nothing_is_lost_and_every_label_stays_in_training(self, labels, seed):
        examples = [Example(str(n), label) for n, label in enumerate(labels)]

        train, dev = split(examples, seed)

        assert sorted(train + dev, key=lambda each: int(each.text)) == examples
        assert {each.label for each in train} == set(labels)
        more_than_one = {label for label, count in Counter(labels).items() if count > 1}
        assert {each.label for each in dev} == more_than_one
