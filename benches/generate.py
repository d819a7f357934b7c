#!/usr/bin/env python3
"""Writes the inputs of the benchmarks, the same bytes on every machine.

A corpus is a sequence of pairs. Pair `n` is a function of `n` alone: its random
numbers are the BLAKE2b digest of `n`, so nothing depends on the version of Python,
and a duplicate is written by composing the pair it repeats once more, however far
back that pair is. All kinds of one size hold the same pairs:

    corpus-SIZE.csv          id,source,target; SIZE is the size of this file
    corpus-SIZE.tmx          one <tu> a pair
    corpus-SIZE.en, .es      a Moses pair; a newline inside a cell is a space here
    corpus-SIZE.openai.jsonl chat messages, every second one with a system message
    corpus-SIZE.gemini.jsonl what prep convert makes of them
    corpus-SIZE.truth.tsv    which records repeat which

`corpus` is composed from the word list below. `real` repeats the parallel files
found in a directory, every text numbered so that no two are equal. Nothing is planted
in it, so its truth is empty; its texts differ in numbers only, so it is no input for
near-duplicates.

Only the standard library is used (Python 3.10 or later).
"""

import argparse
import csv
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import blake2b
from itertools import count
from pathlib import Path
from struct import Struct
from typing import BinaryIO, NamedTuple

BENCHES = Path(__file__).resolve().parent
UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}


class Pair(NamedTuple):
    source: str
    target: str


class Duplicate(NamedTuple):
    """A record that repeats an earlier one; records are counted from 1.

    Records that name the same `original` form one cluster. The similarities are
    the Jaccard index over sets of five characters.
    """

    kind: str
    record: int
    original: int
    source_similarity: float
    target_similarity: float


# ---------------------------------------------------------------- the composed corpus

WORDS = """
the/el/这个 of/de/的 and/y/和 in/en/在 with/con/与 for/para/为了 without/sin/没有 between/entre/之间
again/otra_vez/再次 never/nunca/从不 always/siempre/总是 today/hoy/今天 tomorrow/mañana/明天
yesterday/ayer/昨天 already/ya/已经 almost/casi/几乎 slowly/despacio/慢慢地 quickly/rápidamente/很快地
house/casa/房子 door/puerta/门 window/ventana/窗户 street/calle/街道 city/ciudad/城市 river/río/河流
mountain/montaña/山 sea/mar/大海 night/noche/夜晚 morning/madrugada/早晨 winter/invierno/冬天
summer/verano/夏天 rain/lluvia/雨 wind/viento/风 light/luz/光 shadow/sombra/影子 fire/fuego/火 water/agua/水
bread/pan/面包 wine/vino/酒 table/mesa/桌子 chair/silla/椅子 book/libro/书 letter/carta/信 word/palabra/词语
story/historia/故事 silence/silencio/沉默 voice/voz/声音 song/canción/歌 hand/mano/手 eyes/ojos/眼睛
heart/corazón/心 face/rostro/脸 shoulder/hombro/肩膀 mother/madre/母亲 father/padre/父亲 brother/hermano/兄弟
daughter/hija/女儿 child/niño/孩子 friend/amigo/朋友 stranger/desconocido/陌生人 doctor/médica/医生
teacher/maestro/老师 soldier/soldado/士兵 captain/capitán/船长 king/rey/国王 village/pueblo/村庄
garden/jardín/花园 forest/bosque/森林 road/camino/道路 bridge/puente/桥 train/tren/火车 ship/barco/船
market/mercado/市场 money/dinero/钱 work/trabajo/工作 game/juego/游戏 level/nivel/等级 score/puntuación/得分
sword/espada/剑 shield/escudo/盾牌 treasure/tesoro/宝藏 key/llave/钥匙 map/mapa/地图 quest/misión/任务
account/cuenta/账户 password/contraseña/密码 order/pedido/订单 refund/reembolso/退款 invoice/factura/发票
delivery/entrega/配送 screen/pantalla/屏幕 button/botón/按钮 file/archivo/文件 message/mensaje/消息
error/error/错误 network/red/网络 update/actualización/更新 settings/ajustes/设置 language/idioma/语言
treatment/tratamiento/治疗 patient/paciente/病人 fever/fiebre/发烧 vaccine/vacuna/疫苗 hospital/hospital/医院
research/investigación/研究 R&D/I+D/研发 government/gobierno/政府 election/elección/选举 law/ley/法律
science/ciencia/科学 history/pasado/历史 question/pregunta/问题 answer/respuesta/回答 reason/razón/理由
old/viejo/旧的 new/nuevo/新的 small/pequeño/小的 great/grande/大的 dark/oscuro/黑暗的 bright/brillante/明亮的
cold/frío/寒冷的 warm/cálido/温暖的 quiet/tranquilo/安静的 broken/roto/破碎的 lost/perdido/迷失的
forgotten/olvidado/被遗忘的 golden/dorado/金色的 empty/vacío/空的 open/abierto/打开的 closed/cerrado/关闭的
walked/caminó/走了 waited/esperó/等待了 looked/miró/看了 spoke/habló/说了 listened/escuchó/听了
opened/abrió/打开了 closed/cerró/关上了 remembered/recordó/记得 forgot/olvidó/忘记了 wrote/escribió/写了
read/leyó/读了 found/encontró/找到了 arrived/llegó/到达了 left/salió/离开了 returned/volvió/回来了
asked/preguntó/问了 answered/respondió/回答了 bought/compró/买了 paid/pagó/付了 began/comenzó/开始了
"""  # an underscore stands for a space
SYLLABLES = """
ma/马 re/雷 ta/塔 li/利 do/多 no/诺 sa/萨 ve/维 ka/卡 ri/里 mo/莫 lu/卢 ba/巴 fe/费 go/戈 na/娜 to/托 pe/佩 di/迪 sha/沙
""".split()

N_PHRASES = 1 << 16
N_NAMES = len(SYLLABLES) ** 3
PHRASES_IN_SEGMENT = (3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 7, 8, 9, 10, 12, 14)  # 6 to about 50 words
FEWEST_TO_EDIT = 8  # phrases; one word changed in fewer is hardly a near-duplicate

random_numbers = Struct("<32H").unpack


def below(fraction: float) -> int:
    """The bound under which a number of 16 bits falls with this probability."""
    return round(fraction * (1 << 16))


EXACT = below(0.03)
NEAR = below(0.06)
CHINESE = below(0.33)
DECORATED = below(0.05)
NAME = below(0.12)


class Draws:
    """Random numbers of 16 bits, the same for the same purpose and index."""

    def __init__(self, purpose: str):
        self._hash = blake2b(person=purpose.encode())

    def __call__(self, index: int) -> tuple[int, ...]:
        digest = self._hash.copy()
        digest.update(index.to_bytes(8, "little"))
        return random_numbers(digest.digest())


class Corpus:
    """Pairs of English with Spanish or Chinese, put together from phrases."""

    def __init__(self) -> None:
        self._draws = Draws("pairs")
        self._phrases = phrases()

    def pairs(self) -> Iterator[tuple[Pair, Duplicate | None]]:
        for n in count():
            draw = self._draws(n)
            if n and draw[0] < NEAR:
                yield self._duplicate(n, draw)
            else:
                yield self._compose(draw, self._chosen_phrases(draw)), None

    def _duplicate(self, n: int, draw: tuple[int, ...]) -> tuple[Pair, Duplicate]:
        kind = "exact" if draw[0] < EXACT else "near"
        original = (draw[30] << 16 | draw[31]) % n
        while not self._can_be_original(original, kind):
            original -= 1
        of = self._draws(original)
        first = self._compose(of, self._chosen_phrases(of))
        if kind == "exact":
            return first, Duplicate(kind, n + 1, original + 1, 1.0, 1.0)
        pair = self._compose(of, edited(self._chosen_phrases(of), draw))
        similarities = (similarity(*texts) for texts in zip(first, pair))
        return pair, Duplicate(kind, n + 1, original + 1, *similarities)

    def _can_be_original(self, n: int, kind: str) -> bool:
        draw = self._draws(n)
        long_enough = kind == "exact" or len(self._chosen_phrases(draw)) >= FEWEST_TO_EDIT
        # The first pair has nothing to repeat, so the search ends there at the latest.
        return n == 0 or (draw[0] >= NEAR and long_enough)

    def _chosen_phrases(self, draw: tuple[int, ...]) -> list[int]:
        return list(draw[5 : 5 + PHRASES_IN_SEGMENT[draw[1] & 15]])

    def _compose(self, draw: tuple[int, ...], chosen: list[int]) -> Pair:
        english, spanish, chinese = self._phrases
        source = segment([english[i] for i in chosen], " ", ".", draw[3] < DECORATED)
        if draw[2] < CHINESE:
            target = segment([chinese[i] for i in chosen], "", "。", draw[4] < DECORATED)
        else:
            target = segment([spanish[i] for i in chosen], " ", ".", draw[4] < DECORATED)
        return Pair(source, target)


def phrases() -> list[list[str]]:
    """English, Spanish and Chinese phrases, one meaning to an index.

    Phrase `i` has two to four words, phrase `N_PHRASES + i` is the same without its
    last word, and from `2 * N_PHRASES` on stand the proper names.
    """
    draws, words, names = Draws("phrases"), entries(), name_list()
    whole: list[list[tuple[str, ...]]] = []
    for i in range(N_PHRASES):
        draw = draws(i)
        lists = [names if draw[k] < NAME else words for k in range(2 + draw[20] % 3)]
        whole.append([some[draw[10 + k] % len(some)] for k, some in enumerate(lists)])
    stems = [phrase[:-1] for phrase in whole]
    everything = [*whole, *stems, *([name] for name in names)]
    return [[space.join(word[k] for word in phrase) for phrase in everything] for k, space in enumerate((" ", " ", ""))]


def entries() -> list[tuple[str, ...]]:
    """The words of the list, each in English, Spanish and Chinese."""
    return [tuple(entry.replace("_", " ").split("/")) for entry in WORDS.split()]


def name_list() -> list[tuple[str, ...]]:
    """Proper names of three syllables: the long tail that real text has."""
    latin, chinese = zip(*(syllable.split("/") for syllable in SYLLABLES))
    n = len(SYLLABLES)
    triples = ((i, j, k) for i in range(n) for j in range(n) for k in range(n))
    return [
        (name := "".join(latin[s] for s in triple).capitalize(), name, "".join(chinese[s] for s in triple))
        for triple in triples
    ]


def edited(chosen: list[int], draw: tuple[int, ...]) -> list[int]:
    """The phrases with a name in the place of one word, or put between two words."""
    place = draw[28] % len(chosen)
    phrase, name = chosen[place], 2 * N_PHRASES + draw[29] % N_NAMES
    if draw[27] % 2:
        phrase += N_PHRASES
    return chosen[:place] + [phrase, name] + chosen[place + 1 :]


def segment(parts: list[str], space: str, stop: str, is_decorated: bool) -> str:
    """One text; a decorated one has a comma, quotes and a newline in it."""
    if is_decorated:
        parts = [f'{parts[0]}, "{parts[1]}"\n{parts[2]}', *parts[3:]]
    text = space.join(parts)
    return text[0].upper() + text[1:] + stop


def similarity(a: str, b: str) -> float:
    grams_a, grams_b = ({text[i : i + 5] for i in range(len(text) - 4)} for text in (a, b))
    return len(grams_a & grams_b) / len(grams_a | grams_b)


# ---------------------------------------------------------------- the real corpus


def real_pairs(directory: Path) -> Iterator[tuple[Pair, None]]:
    """The parallel files of a directory over and over, every text numbered."""
    once = [*tsv_pairs(directory), *moses_pairs(directory), *tmx_pairs(directory)]
    if not once:
        sys.exit(f"error: no TSV, Moses or TMX file under `{directory}`")
    for n in count():
        source, target = once[n % len(once)]
        yield Pair(f"{source} ({n + 1})", f"{target} ({n + 1})"), None


def tsv_pairs(directory: Path) -> Iterator[Pair]:
    for path in sorted(directory.glob("tsv/*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                yield Pair(row[0], row[1])


def moses_pairs(directory: Path) -> Iterator[Pair]:
    for source in sorted(directory.glob("moses/*.eng")):
        other = source.suffixes[-2].removeprefix(".").removesuffix("-eng")
        target = source.with_suffix(f".{other}")
        sides = (path.read_text(encoding="utf-8").rstrip("\n").split("\n") for path in (source, target))
        yield from map(Pair, *sides)


def tmx_pairs(directory: Path) -> Iterator[Pair]:
    for path in sorted(directory.glob("tmx/*.tmx")):
        for unit in ElementTree.parse(path).iter("tu"):
            source, target = ("".join(seg.itertext()) for seg in unit.iter("seg"))
            yield Pair(source, target)


# ---------------------------------------------------------------- the files

TMX_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<tmx version="1.4"><header creationtool="prep-benches" creationtoolversion="1" segtype="paragraph" \
o-tmf="none" adminlang="en" srclang="en" datatype="plaintext"/><body>
"""
TMX_FOOT = "</body></tmx>\n"
SYSTEM = "You are a translator. Keep names, numbers and line breaks as they are."

needs_quotes = re.compile('[",\r\n]').search
json_string = json.JSONEncoder(ensure_ascii=False).encode


def csv_line(n: int, pair: Pair) -> str:
    return f"{n},{csv_cell(pair.source)},{csv_cell(pair.target)}\n"


def csv_cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if needs_quotes(text) else text


def tmx_unit(n: int, pair: Pair) -> str:
    return (
        f'<tu tuid="{n}">\n<tuv xml:lang="en"><seg>{xml_text(pair.source)}</seg></tuv>\n'
        f'<tuv xml:lang="es"><seg>{xml_text(pair.target)}</seg></tuv>\n</tu>\n'
    )


def xml_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def moses_source(_n: int, pair: Pair) -> str:
    return pair.source.replace("\n", " ") + "\n"


def moses_target(_n: int, pair: Pair) -> str:
    return pair.target.replace("\n", " ") + "\n"


def openai_line(n: int, pair: Pair) -> str:
    system = f'{{"role": "system", "content": {json_string(SYSTEM)}}}, ' if n % 2 else ""
    return (
        f'{{"messages": [{system}{{"role": "user", "content": {json_string(pair.source)}}}, '
        f'{{"role": "assistant", "content": {json_string(pair.target)}}}]}}\n'
    )


def gemini_line(_n: int, pair: Pair) -> str:
    return (
        f'{{"contents":[{{"role":"user","parts":[{{"text":{json_string(pair.source)}}}]}},'
        f'{{"role":"model","parts":[{{"text":{json_string(pair.target)}}}]}}]}}\n'
    )


class Layout(NamedTuple):
    """How one file of a kind is written."""

    suffix: str
    line: Callable[[int, Pair], str]
    head: str = ""
    foot: str = ""


KINDS = {
    "csv": [Layout(".csv", csv_line, head="id,source,target\n")],
    "tmx": [Layout(".tmx", tmx_unit, head=TMX_HEAD, foot=TMX_FOOT)],
    "moses": [Layout(".en", moses_source), Layout(".es", moses_target)],
    "openai": [Layout(".openai.jsonl", openai_line)],
    "gemini": [Layout(".gemini.jsonl", gemini_line)],
}


def write(pairs: Iterator[tuple[Pair, Duplicate | None]], stem: Path, kinds: list[str], size: int) -> int:
    """Writes the files of these kinds and the truth; returns the number of pairs.

    The files appear under their names once whole.
    """
    layouts = [layout for kind in kinds for layout in KINDS[kind]]
    paths = [Path(f"{stem}{layout.suffix}") for layout in layouts]
    truth_path = Path(f"{stem}.truth.tsv")
    with ExitStack() as stack:
        files = [(layout, stack.enter_context(part(path).open("wb", 1 << 20))) for layout, path in zip(layouts, paths)]
        truth = stack.enter_context(part(truth_path).open("wb"))
        n = write_pairs(pairs, files, truth, size)
    for path in [*paths, truth_path]:
        part(path).rename(path)
    return n


def write_pairs(
    pairs: Iterator[tuple[Pair, Duplicate | None]],
    files: list[tuple[Layout, BinaryIO]],
    truth: BinaryIO,
    size: int,
) -> int:
    """Writes pairs until the CSV holds, or would hold, `size` bytes."""
    for layout, file in files:
        file.write(layout.head.encode())
    truth.write("\t".join(Duplicate._fields).encode() + b"\n")
    csv_bytes = 0
    for n, (pair, duplicate) in enumerate(pairs, 1):
        csv_bytes += len(csv_line(n, pair).encode())
        for layout, file in files:
            file.write(layout.line(n, pair).encode())
        if duplicate:
            truth.write("{}\t{}\t{}\t{:.4f}\t{:.4f}\n".format(*duplicate).encode())
        if csv_bytes >= size:
            break
    for layout, file in files:
        file.write(layout.foot.encode())
    return n


def part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


# ---------------------------------------------------------------- the command


def size_in_bytes(label: str) -> int:
    match = re.fullmatch(r"(\d+)(KB|MB|GB)", label)
    if not match:
        raise argparse.ArgumentTypeError(f"`{label}` is not a size such as 100MB")
    return int(match[1]) * UNITS[match[2]]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Write the inputs of the benchmarks.")
    parser.add_argument("--size", action="append", metavar="100MB", help="may be repeated; default 100MB")
    parser.add_argument("--kind", action="append", choices=KINDS, help="may be repeated; default all")
    parser.add_argument("--corpus", choices=("corpus", "real"), default="corpus")
    parser.add_argument(
        "--parallel",
        type=Path,
        default=BENCHES.parents[1] / "shared/data/parallel",
        help="directory of real parallel files, for --corpus real",
    )
    parser.add_argument("--out", type=Path, default=BENCHES / "data")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    for label in args.size or ["100MB"]:
        pairs = Corpus().pairs() if args.corpus == "corpus" else real_pairs(args.parallel)
        stem = args.out / f"{args.corpus}-{label}"
        n = write(pairs, stem, args.kind or list(KINDS), size_in_bytes(label))
        print(f"{stem}: {n} pairs", file=sys.stderr)


if __name__ == "__main__":
    main()
