"""The fast tokenizer of XLM-R, built from its pieces and scores."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)

BOS, PAD, EOS, UNK = 0, 1, 2, 3  # ids of <s> <pad> </s> <unk> in every XLM-R vocabulary


def character_map() -> bytes:
    """Return the `nmt_nfkc` character map that sentencepiece compiles into every model.

    There is no call that hands it out, so a throw-away model is trained on two lines.
    """
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2 as model_format

    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder, "text.txt")
        text.write_text("hello world this is\na b c d e f g\n" * 50, encoding="utf-8")
        sentencepiece.SentencePieceTrainer.train(
            input=str(text),
            model_prefix=str(Path(folder, "model")),
            vocab_size=30,
            hard_vocab_limit=False,
            normalization_rule_name="nmt_nfkc",
            num_threads=1,
            minloglevel=2,
        )
        model = model_format.ModelProto()  # type: ignore[attr-defined]  # protobuf makes it at import
        model.ParseFromString(Path(folder, "model.model").read_bytes())
    return bytes(model.normalizer_spec.precompiled_charsmap)


def build(pieces: Sequence[str], scores: Sequence[float]) -> Tokenizer:
    """Return a tokenizer that adds <s> and </s>.

    Args:
        pieces: In the order of their ids; the first four are <s> <pad> </s> <unk>.
        scores: Unigram log probability of each piece.
    """
    vocabulary = [(piece, float(score)) for piece, score in zip(pieces, scores, strict=True)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=UNK, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Precompiled(character_map()),
            normalizers.Strip(left=False, right=True),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always", split=True)
    begin, end = pieces[BOS], pieces[EOS]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}",
        pair=f"{begin} $A {end} {end} $B {end}",
        special_tokens=[(begin, BOS), (end, EOS)],
    )
    tokenizer.add_special_tokens(
        [AddedToken(pieces[id_], normalized=False, special=True) for id_ in (BOS, PAD, EOS, UNK)]
    )
    return tokenizer
