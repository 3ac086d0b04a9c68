"""Encoders of BERT's shape with random weights, written as transformers directories."""

from pathlib import Path

# Enough characters that no sentence of these tests is all [UNK].
_CHARACTERS = (
    "abcdefghijklmnopqrstuvwxyz0123456789我你他的是不了在有退货换款快递物流到哪查询订单发票开"
    "抬头优惠券怎么用折扣什么时候能请问谢谢好人工客服转投诉地址改修密码忘记账号取消支付失败"
)


def write_bert(
    directory: Path, *, layers: int, hidden: int, heads: int, vocabulary: int = 200
) -> Path:
    """Write a BertModel with its WordPiece tokenizer, as a hub model has them.

    Args:
        vocabulary: Number of word pieces; those beyond the characters are never produced.
    """
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(_CHARACTERS)]
    pieces += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz0123456789"]
    pieces += [f"[unused{number}]" for number in range(vocabulary - len(pieces))]
    directory.mkdir(parents=True)
    words = directory / "words.txt"
    words.write_text("\n".join(pieces), encoding="utf-8")
    BertTokenizerFast(vocab=str(words)).save_pretrained(directory)
    words.unlink()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden,
        max_position_embeddings=512,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(directory)
    return directory
