"""Writes test/tokenizer/fixtures: small tokenizer files of every family, trained here, and what the `tokenizers` package
(the independent implementation) makes of texts with them. Needs `pip install tokenizers==0.23.* sentencepiece`; the tests
read the result without Python.

Each fixture holds the tokenizer file, explicit cases, and for 10,000 random strings one FNV-1a digest of the ids per
hundred; the strings follow from `atoms` by a linear congruential generator that the test repeats.
"""
import base64, io, json, pathlib, re, sys
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers)

root = pathlib.Path(__file__).resolve().parent.parent
out = root / 'test/tokenizer/fixtures'
out.mkdir(parents=True, exist_ok=True)

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
          r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
            r"|\s*[\r\n]+|\s+(?!\S)|\s+")
POSSESSIVE = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s*[\r\n]|\s+(?!\S)|\s"

atoms = ['a', 'e', 'the', ' the', ' and', 'ing', 'Ing', 'HTTP', 'Server', ' ', '  ', '\n', '\r\n', '\t', '\u00a0', '\u3000', '\u2028', '\u0085',
         '\ufeff', '0', '12', '2024', '½', '٣', 'Ⅷ', '.', ',', '!', '?', "'", "'s", "'S", "'ll", "n't", '-', '_', '/', '\\', '(', ')', '"', '$', '+',
         '日本', '語', '中文', '한국어', '각', 'é', 'e\u0301', 'ß', 'Straße', 'İ', 'ſ', 'K', 'Σ', 'ΟΔΟΣ', 'привет', 'Й', 'مرحبا', 'नमस्ते', 'ไทย', 'ﬁ', 'ﾊﾟ', '㎏', '①',
         '👍', '👩‍👩‍👧', '🇫🇷', '👍🏽', '\u200b', '\u200d', '\u00ad', '▁', '##', '##ing', '<s>', '</s>', '[CLS]', '[MASK]', '<|endoftext|>', '<unk>', '<0x41>',
         'hasOwnProperty', '__proto__', 'constructor', '\x00', '\x07', '\x7f', '…', '—', '“', 'Ａ', 'ª', 'ʰ', 'ǅ', '\n\n', ' \n ', '   x']

cases = ['', 'Hello, world!', ' leading and trailing ', "I'm sure they'll say it's DON'T", 'naïve café résumé Straße', '1234567 3.14 ½', '日本語のテキスト。中文，한국어',
         'नमस्ते दुनिया مرحبا بالعالم', '👩‍👩‍👧‍👦 🇫🇷 👍🏽', 'line\nline\r\n\n  indented\ttab', 'hasOwnProperty __proto__', '[CLS] <s> </s> <|endoftext|> [MASK]', '▁▁ ▁a', 'a' * 200,
         'unaffable unhappiness', '\x00\x07 control', 'ﬁne ① ㎏ ﾊﾟ', '   ', '\n', "x'ſ K", 'HTTPServer XMLHttpRequest']


def strings(count):
    state = 20261122
    def draw(n):
        nonlocal state
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        return (state >> 8) % n
    for _ in range(count):
        yield ''.join(atoms[draw(len(atoms))] for _ in range(1 + draw(12)))


def corpus():
    modules = root / 'node_modules'
    paths = ['fast-check/README.md', 'zod/README.md', 'vitest/README.md', 'openai/README.md', 'typescript/README.md', 'markdown-it/README.md']
    texts = [(modules / path).read_text('utf8')[:60000] for path in paths if (modules / path).exists()]
    for name in ['zh-CN', 'ja', 'ko', 'ar', 'ru', 'th', 'fr', 'de', 'tr', 'hi']:
        path = modules / f'zod/v4/locales/{name}.js'
        if path.exists():
            texts.append(path.read_text('utf8'))
    return [line for text in texts for line in text.split('\n')] + [atom for atom in atoms if len(atom) > 1]


def digests(tokenizer):
    result, hash, count = [], 0x811C9DC5, 0
    for text in strings(10000):
        for id in tokenizer.encode(text, add_special_tokens=False).ids + [0xFFFFFF]:
            hash = ((hash ^ id) * 0x01000193) & 0xFFFFFFFF
        count += 1
        if count % 100 == 0:
            result.append(hash)
            hash = 0x811C9DC5
    return result


def write(name, tokenizer, ordinary=None):
    """`ordinary` gives the ids of text in which the spellings of special tokens are text; by default the tokenizer does."""
    ordinary = ordinary or tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    rows = []
    for text in cases:
        plain = ordinary.encode(text, add_special_tokens=False).ids
        framed = ordinary.encode(text, add_special_tokens=True).ids
        tokenizer.encode_special_tokens = False
        special = tokenizer.encode(text, add_special_tokens=False).ids
        tokenizer.encode_special_tokens = True
        rows.append({'text': text, 'ids': plain, 'framed': framed, 'special': special, 'decoded': tokenizer.decode(plain)})
    file = json.loads(tokenizer.to_str())
    fixture = {'name': name, 'atoms': atoms, 'tokenizer': file, 'cases': rows, 'digests': digests(ordinary)}
    (out / f'{name}.json').write_text(json.dumps(fixture, ensure_ascii=True, separators=(',', ':')) + '\n', 'utf8')
    print(name, len(file['model'].get('vocab', [])))


def train(tokenizer, trainer):
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer


def byte_level(name, pre, normalizer=None, frame=None, ignore_merges=False, special=('<|endoftext|>', '<s>', '</s>'), plain=()):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    train(tokenizer, trainers.BpeTrainer(vocab_size=700, special_tokens=list(special), show_progress=False,
                                         initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    if plain:
        tokenizer.add_tokens(list(plain))
    if frame:
        tokenizer.post_processor = frame(tokenizer)
    write(name, tokenizer)


def template(tokenizer, first, last):
    parts = ' '.join(part for part in (first, '$A', last) if part)
    used = [(token, tokenizer.token_to_id(token)) for token in (first, last) if token]
    return processors.TemplateProcessing(single=parts, special_tokens=used)


raw = lambda: pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
isolated = lambda pattern: pre_tokenizers.Split(Regex(pattern), 'isolated')
byte_level('gpt2', pre_tokenizers.ByteLevel(add_prefix_space=False))
byte_level('roberta', pre_tokenizers.ByteLevel(add_prefix_space=True),
           frame=lambda t: processors.RobertaProcessing(('</s>', t.token_to_id('</s>')), ('<s>', t.token_to_id('<s>'))))
byte_level('llama3', pre_tokenizers.Sequence([isolated(LLAMA3), raw()]), ignore_merges=True,
           frame=lambda t: processors.Sequence([processors.ByteLevel(trim_offsets=True), template(t, '<s>', None)]))
byte_level('qwen', pre_tokenizers.Sequence([isolated(QWEN), raw()]), normalizer=normalizers.NFC(),
           plain=[AddedToken('hasOwnProperty', normalized=False), AddedToken('日本', normalized=True), AddedToken('the', single_word=True, normalized=False)])
byte_level('tekken', pre_tokenizers.Sequence([isolated(TEKKEN), raw()]), ignore_merges=True)
byte_level('deepseek', pre_tokenizers.Sequence([isolated(r'\p{N}{1,3}'), isolated('[一-龥぀-ゟ゠-ヿ]+'), isolated(DEEPSEEK), raw()]))
byte_level('possessive', pre_tokenizers.Sequence([isolated(POSSESSIVE), raw()]))

# SentencePiece-style BPE: Llama 2 marks blanks in the normalizer and has no words; Gemma cuts at blanks.
bytes_alphabet = [f'<0x{byte:02X}>' for byte in range(256)]
def sentencepiece_bpe(name, normalizer, pre, decoder, train_pre, frame=None):
    tokenizer = Tokenizer(models.BPE(unk_token='<unk>', fuse_unk=True))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = train_pre
    train(tokenizer, trainers.BpeTrainer(vocab_size=900, limit_alphabet=120, special_tokens=['<unk>', '<s>', '</s>', *bytes_alphabet], show_progress=False))
    file = json.loads(tokenizer.to_str())
    file['model']['byte_fallback'] = True
    file['added_tokens'] = [token for token in file['added_tokens'] if token['content'] not in bytes_alphabet]
    tokenizer = Tokenizer.from_str(json.dumps(file))
    if pre is None:
        file['pre_tokenizer'] = None
        tokenizer = Tokenizer.from_str(json.dumps(file))
    else:
        tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoder
    tokenizer.post_processor = template(tokenizer, '<s>', frame)
    write(name, tokenizer)

marks = decoders.Sequence([decoders.Replace('▁', ' '), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(' ', 1, 0)])
sentencepiece_bpe('llama2', normalizers.Sequence([normalizers.Prepend('▁'), normalizers.Replace(' ', '▁')]), None, marks, pre_tokenizers.Split('▁', 'merged_with_next'))
sentencepiece_bpe('gemma', normalizers.Replace(' ', '▁'), pre_tokenizers.Split(' ', 'merged_with_previous'),
                  decoders.Sequence([decoders.Replace('▁', ' '), decoders.ByteFallback(), decoders.Fuse()]), pre_tokenizers.Split('▁', 'merged_with_next'), '</s>')
sentencepiece_bpe('mistral', normalizers.Sequence([]), pre_tokenizers.Metaspace(replacement='▁', prepend_scheme='first', split=False),
                  marks, pre_tokenizers.Metaspace(replacement='▁', prepend_scheme='always', split=True))

# Unigram, with SentencePiece's own compiled normalization.
import sentencepiece
model = io.BytesIO()
sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(line for line in corpus() if line.strip() and '\x00' not in line), model_writer=model, vocab_size=900, model_type='unigram',
                                         hard_vocab_limit=False, character_coverage=0.98, minloglevel=2)
proto = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())

def charsmap(blob):
    """normalizer_spec (field 3) → precompiled_charsmap (field 2), read off the wire format."""
    def fields(data):
        at = 0
        while at < len(data):
            tag, at = varint(data, at)
            if tag & 7 == 2:
                size, at = varint(data, at)
                yield tag >> 3, data[at:at + size]
                at += size
            elif tag & 7 == 0:
                _, at = varint(data, at)
            elif tag & 7 == 5:
                at += 4
            else:
                at += 8
    def varint(data, at):
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value, at
    spec = next(value for field, value in fields(blob) if field == 3)
    return next(value for field, value in fields(spec) if field == 2)

pieces = [(proto.id_to_piece(id), proto.get_score(id)) for id in range(proto.get_piece_size())]
nmt_nfkc = base64.b64encode(charsmap(model.getvalue())).decode()

def unigram(name, normalizer, pre, decoder, frame, byte_fallback=False):
    vocabulary = [(piece, score) for piece, score in pieces]
    if byte_fallback:
        vocabulary += [(token, 0.0) for token in bytes_alphabet]
    # SentencePiece never matches control symbols in text; the tokenizers package does, so the reference hides them.
    hidden = [(f'\U000F0000{piece}' if piece in ('<unk>', '<s>', '</s>') else piece, score) for piece, score in vocabulary]
    made = []
    for pieces_of in (vocabulary, hidden):
        tokenizer = Tokenizer(models.Unigram(pieces_of, unk_id=0, byte_fallback=byte_fallback))
        if pieces_of is vocabulary:
            tokenizer.add_special_tokens(['<unk>', '<s>', '</s>'])
        if normalizer is not None:
            tokenizer.normalizer = normalizer
        tokenizer.pre_tokenizer = pre
        tokenizer.decoder = decoder
        tokenizer.post_processor = template(tokenizer, *frame) if not made else made[0].post_processor
        made.append(tokenizer)
    write(name, *made)

precompiled = normalizers.Precompiled(base64.b64decode(nmt_nfkc))
unigram('t5', precompiled, pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement='▁', prepend_scheme='always')]),
        decoders.Metaspace(replacement='▁', prepend_scheme='always'), (None, '</s>'))
unigram('multilingual-e5', normalizers.Sequence([precompiled, normalizers.Replace(Regex(' {2,}'), ' ')]), pre_tokenizers.Metaspace(replacement='▁', prepend_scheme='always'),
        decoders.Metaspace(replacement='▁', prepend_scheme='always'), ('<s>', '</s>'))
unigram('unigram-bytes', normalizers.Nmt(), pre_tokenizers.Metaspace(replacement='▁', prepend_scheme='never'), marks, ('<s>', None), byte_fallback=True)

def word_piece(name, normalizer, pre, cleanup=True):
    tokenizer = Tokenizer(models.WordPiece(unk_token='[UNK]', max_input_chars_per_word=100))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    train(tokenizer, trainers.WordPieceTrainer(vocab_size=900, limit_alphabet=200, special_tokens=['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'], show_progress=False))
    tokenizer.decoder = decoders.WordPiece(prefix='##', cleanup=cleanup)
    tokenizer.post_processor = processors.BertProcessing(('[SEP]', 3), ('[CLS]', 2))
    write(name, tokenizer)

word_piece('bert-uncased', normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer())
word_piece('bert-cased', normalizers.BertNormalizer(lowercase=False, strip_accents=False), pre_tokenizers.BertPreTokenizer(), cleanup=False)
word_piece('steps', normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip()]),
           pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.Punctuation('contiguous')]))

level = Tokenizer(models.WordLevel(unk_token='[UNK]'))
level.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.CharDelimiterSplit('-'), pre_tokenizers.Digits(), pre_tokenizers.Split(Regex(r'\w+|\W'), 'removed', invert=True)])
train(level, trainers.WordLevelTrainer(vocab_size=500, special_tokens=['[UNK]'], show_progress=False))
write('word-level', level)

suffixed = Tokenizer(models.BPE(unk_token='<unk>', end_of_word_suffix='</w>'))
suffixed.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r'\s+'), ' '), normalizers.Lowercase()])
suffixed.pre_tokenizer = pre_tokenizers.Split(Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), 'removed', invert=True)
suffixed.decoder = decoders.BPEDecoder(suffix='</w>')
train(suffixed, trainers.BpeTrainer(vocab_size=700, limit_alphabet=150, end_of_word_suffix='</w>', special_tokens=['<unk>', '<|endoftext|>'], show_progress=False))
write('clip', suffixed)
