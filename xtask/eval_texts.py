"""The texts that scores are recorded for, written for this project."""

import random

# Each line: a reference, a second one or nothing, and two systems.
ENGLISH = [
    ("The cat sat on the mat.", "On the mat sat a cat.", "The cat is on the mat.", "A cat sat on the mat."),
    ("It was raining when we left the house.", None, "It rained as we left home.", "It was raining when we left the house."),
    ("She said: “I don't know, Mr. Smith's car is red.”", "\"I don't know,\" she said; \"Mr Smith has a red car.\"",
     "She said: \"I do not know, the car of Mr. Smith is red\".", "She said, “I don't know – Mr. Smith's car is red.”"),
    ("The price rose by 3.5% to $1,234.56 in 2019-20.", "In 2019–20 prices went up 3.5 % (to 1,234.56 dollars).",
     "The prices rose 3,5 % to 1234.56 $ in 2019-2020.", "The price rose by 3.5 % to $1,234.56 in 2019-20."),
    ("Please press Ctrl+C to cancel &amp; exit.", None, "Press Ctrl + C to cancel & exit, please.", "Please press Ctrl-C to cancel &amp;amp; exit."),
    ("Well-known state-of-the-art methods (e.g. BLEU) aren't perfect...", "Known methods, e.g. BLEU, are not perfect.",
     "Well known state of the art methods ( e.g. BLEU ) are not perfect ...", "State-of-the-art methods (e.g., BLEU) aren't perfect..."),
    ("Where is the station?", "Where's the station?", "Where's station?", "Where is the train station?"),
    ("He opened the door, looked around, and slowly walked into the dark room.", None,
     "Slowly he walked into the dark room after he opened the door and looked around.",
     "He opened the door, looked around and walked slowly into the dark room."),
    ("Yes.", "Yeah.", "No.", "Yes."),
    ("Your order #4711 will be shipped tomorrow; track it at https://example.com/track?id=4711&lang=en.", None,
     "Your order 4711 is shipped tomorrow. Track it: https://example.com/track?id=4711&lang=en",
     "Order #4711 will ship tomorrow; follow it at https://example.com/track?id=4711&lang=en."),
    ("The quick brown fox jumps over the lazy dog.", "A fast brown fox leaps over a lazy dog.",
     "The lazy dog jumps over the quick brown fox.", "Over the lazy dog jumps the quick brown fox."),
    ("I'm sorry, I can't help with that.", None, "Sorry, I can not help you with this.", "I'm sorry, but I can't help with that."),
    ("THE END", "The end.", "The End", "the end"),
    ("To be, or not to be: that is the question.", None, "Being or not being, this is the question.", "To be or not to be, that is the question:"),
    ("You'll need 2 cups of flour, 1/2 tsp. salt and 3 eggs.", "Take two cups of flour, half a teaspoon of salt, and three eggs.",
     "You need 2 cups flour, 0.5 tsp salt and 3 eggs.", "You will need 2 cups of flour, 1/2 tsp. of salt, and 3 eggs."),
]

SPANISH = [
    ("¿Dónde está la biblioteca?", "¿En dónde queda la biblioteca?", "¿Donde esta la biblioteca?", "¿Dónde queda la biblioteca?"),
    ("El niño comió una manzana, dos peras y 3,5 kg de uvas.", None, "El niño se comió una manzana, dos peras y 3.5 kg de uvas.", "El niño comió una manzana y dos peras."),
    ("—No lo sé —dijo ella—. ¡Quizá mañana!", "—No sé —dijo—. Tal vez mañana.", "\"No lo sé\", dijo ella. \"¡Quizás mañana!\"", "—No lo sé —contestó ella—. ¡Quizá mañana!"),
    ("La guerra terminó en 1945, pero sus efectos duraron décadas.", None, "La guerra acabó en 1945 pero sus efectos han durado décadas.", "En 1945 terminó la guerra, pero sus efectos duraron décadas."),
    ("Haga clic en «Guardar» para continuar.", "Pulse «Guardar» para seguir.", "Haz clic en 'Guardar' para continuar", "Haga clic en «Guardar» para seguir."),
    ("Señoras y señores, bienvenidos a bordo.", None, "Damas y caballeros, bienvenidos a bordo.", "Señoras y señores, sean bienvenidos a bordo."),
    ("Vosotros habláis muy rápido.", "Ustedes hablan muy rápido.", "Ustedes hablan rápido.", "Ustedes hablan muy rápido."),
    ("Añádelo al carrito y págalo con tarjeta.", None, "Agrégalo al carrito y paga con tarjeta.", "Añádelo al carrito y págalo con la tarjeta."),
    ("PINGÜINO ÑANDÚ", "Pingüino, ñandú", "pingüino ñandú", "Pingüino ñandú"),
    ("Se vende casa (3 hab., 2 baños) por 120.000 €.", None, "Casa en venta: 3 habitaciones, 2 baños, 120.000€", "Se vende casa (3 hab., 2 baños) a 120.000 €."),
]

CHINESE = [
    ("今天天气很好,我们去公园吧。", "今天天气不错,我们去公园。", "今天天气真好,我们一起去公园吧!", "今天天气很好,我们去公园吧。"),
    ("他在2019年买了3台iPhone。", None, "他于2019年购买了三部iPhone手机。", "2019年,他买了3台 iPhone 。"),
    ("请问,图书馆在哪里?", "请问图书馆在哪儿?", "图书馆在哪里?", "请问图书馆在哪里?"),
    ("“我不知道。”她说。", None, "她说:“我不知道”。", "“我不知道,”她说。"),
    ("这本书的价格是人民币45.50元(含税)。", None, "这本书售价45.5元人民币(含税)", "这本书的价格是45.50元(含税)。"),
    ("繁體字和简体字:㐀𠀀。", None, "繁体字和简体字:㐀𠀀", "繁體字与简体字:㐁𠀀。"),
    ("谢谢", "多谢", "谢谢你", "谢谢"),
    ("①第一步:打开→设置…", None, "第一步,打开设置", "①第一步:打开 → 设置……"),
]

OTHERS = [
    ("東京は日本の首都です。", "日本の首都は東京です。", "東京は日本の首都である。", "日本の首都は東京だ。"),
    ("カタカナとひらがな、「括弧」・全角!", None, "ひらがなとカタカナ、『括弧』。", "カタカナ・ひらがな、「括弧」全角!"),
    ("Der Überfluß an Größe verärgerte Herrn Weiß’ Söhne.", "Das Übermaß an Größe ärgerte Herrn Weiß' Söhne.",
     "Der Überfluss an Grösse ärgerte die Söhne von Herrn Weiß.", "Der Überfluß an Größe hat Herrn Weiß’ Söhne verärgert."),
    ("Мама мыла раму, а папа читал «Правду».", None, "Мама мыла раму и папа читал \"Правду\".", "Папа читал «Правду», а мама мыла раму."),
    ("أين تقع المكتبة؟ لا أعرف، يا سيدي.", None, "أين المكتبة؟ لا أعرف يا سيدي.", "أين تقع المكتبه؟ لا اعرف، يا سيدي."),
    ("मुझे नहीं पता। वह कल आएगा, शायद १२३ लोग।", None, "मुझे पता नहीं। वह कल आयेगा।", "मुझे नहीं पता, वह कल आएगा।"),
    ("ΟΔΥΣΣΕΥΣ ήταν Έλληνας ΉΡΩΑΣ.", "Ο Οδυσσεύς ήταν Έλληνας.", "οδυσσευς ήταν έλληνας ήρωας.", "Ο ΟΔΥΣΣΕΥΣ ήταν ήρωας."),
    ("Great job 👍🏽! See you 🙂🙂 tomorrow 👨‍👩‍👧", "Well done 👍! Until tomorrow 🙂", "Great job 👍! See you tomorrow 🙂", "Great job 👍🏽 See you 🙂 tomorrow 👨‍👩‍👧!"),
    ("한국어 문장은 띄어쓰기가 있습니다.", None, "한국어 문장에는 띄어쓰기가 있다.", "한국어 문장은 띄어쓰기가 있습니다"),
    ("ภาษาไทยไม่มีช่องว่าง ๑๒๓", None, "ภาษาไทย ไม่มีช่องว่าง", "ภาษาไทยไม่มีช่องว่าง"),
    ("İstanbul'da ışık IŞIK Iğdır", None, "istanbul'da ışık ışık ığdır", "İSTANBUL'DA IŞIK IŞIK IĞDIR"),
    ("x² + y² = z², ½ ≤ α‑β ≠ ∞ © 2024™", None, "x^2 + y^2 = z^2, 1/2 <= α-β != ∞ (c) 2024", "x² + y² = z²; ½ ≤ α‑β ≠ ∞ ©2024™"),
]

AWKWARD = [
    ("", None, "", ""),
    ("Something here.", None, "", "Something"),
    ("", None, "Nothing to see here.", ""),
    ("word", "word", "word", "Word"),
    ("a", None, "b", "a"),
    ("   ", None, "  spaces  ", "\t"),
    ("two words", "", "two", "words two"),
    (".", None, "...", ","),
    ("&quot;&lt;tag attr=&quot;1&quot;&gt;&amp;lt;&quot;", None, "\"<tag attr=\"1\">&lt;\"", "&quot;<tag attr=\"1\">&lt;&quot;"),
    ("line one\nline two-\nthree <skipped> end", None, "line one line two-three end", "line one\n-line two\nthree"),
    ("1,000.50-2 3-4 5.-6, 7,a .8 9. x.y ,, ..", None, "1000.50 -2 3 - 4 5. -6 , 7, a .8 9 . x . y", "1,000.50-2 3-4 5.-6, 7,a .8 9. x.y ,, .."),
    ("no\u00a0break\u3000wide\u2028line\u0085next\u001cfile\u200bzero", None, "no break wide line next file zero", "no\u00a0break wide\u2028line next\u001ffile\u200bzero"),
    ("(hi) 'hi' \"hi\" [hi] -hi- hi!? ...hi", None, "( hi ) ' hi ' \"hi\" [ hi ] - hi - hi !? ... hi", "(hi) 'hi' \"hi\" [hi] -hi- hi!? ...hi"),
    ("it's John's dogs' 's '", None, "its Johns dogs 's'", "it's John's dogs' 's '"),
    ("cafe\u0301 café ﬁn ﬀ ẞ ß Ǆ ǅ", None, "café cafe\u0301 fin ff ß ss ǆ ǆ", "CAFÉ CAFÉ FIN ﬀ ẞ SS Ǆ Ǆ"),
    ("it's\u3000his &amp;amp;lt; $[[", "$[[", "$[[", "it's his &lt;"),
    ("the the the the", None, "the the the the the the the", "the the"),
    ("The  a an THE answer, is: a-b", None, "answer is ab", "the answer is a b"),
]

WORDS = ("the of and to in a is that for it as was with be by on not he this are at from his but an they which or had we "
         "there been one has would all will if can said who more when some time so no about up into year them do now such").split()


def shuffled(words, generator, n_moves, n_changes):
    """Moves stretches of words and changes single ones."""
    words = list(words)
    for _ in range(n_moves):
        start, length = generator.randrange(len(words)), generator.randrange(1, 9)
        stretch, words = words[start : start + length], words[:start] + words[start + length :]
        place = generator.randrange(len(words) + 1)
        words[place:place] = stretch
    for _ in range(n_changes):
        place = generator.randrange(len(words))
        action = generator.randrange(3)
        words[place : place + (action != 1)] = [] if action == 0 else [generator.choice(WORDS)]
    return words


def long_texts():
    """Segments beyond the limits of TER: the band, the length of moves, the number of candidates."""
    generator = random.Random(7)
    lines = []
    for n_words, n_moves, n_changes in [(30, 3, 2), (60, 6, 10), (90, 8, 30), (110, 12, 60), (40, 20, 0)]:
        reference = [generator.choice(WORDS) for _ in range(n_words)]
        systems = [shuffled(reference, generator, n_moves, n_changes) for _ in range(2)]
        lines.append([" ".join(reference), None, *(" ".join(system) for system in systems)])
    short, long = lines[0][0], lines[3][0]
    lines.append([short, long, long, short.upper()])
    lines.append(["one two three", None, long, "three"])
    lines.append([long, None, "of the", " ".join(WORDS)])
    return lines


def texts():
    """Name to references, one list for each, and the systems `base` and `tuned`."""
    sources = {"english": ENGLISH, "spanish": SPANISH, "chinese": CHINESE, "others": OTHERS, "awkward": AWKWARD, "long": long_texts()}
    every = [line for name, lines in sources.items() for line in lines if name != "long"]
    corpora = {}
    for name, lines in sources.items():
        references, _, base, tuned = zip(*lines)
        corpora[name] = {"references": [references], "base": base, "tuned": tuned}
    references, seconds, base, tuned = zip(*every)
    corpora["variable"] = {"references": [references, seconds], "base": base, "tuned": tuned}
    swapped = {"references": [seconds, references, tuned], "base": base, "tuned": references}
    corpora["three"] = swapped
    both = [line for line in ENGLISH + SPANISH + CHINESE if line[1] is not None]
    references, seconds, base, tuned = zip(*both)
    corpora["two"] = {"references": [references, seconds], "base": base, "tuned": tuned}
    corpora["identical"] = {"references": [references], "base": references, "tuned": seconds}
    corpora["nothing"] = {"references": [["", " "]], "base": ["", ""], "tuned": ["", "x"]}
    corpora["single"] = {"references": [["The cat sat on the mat."]], "base": ["The cat sat."], "tuned": ["The mat sat on the cat."]}
    return corpora
