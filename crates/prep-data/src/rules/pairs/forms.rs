//! Word lists: forms of Spanish that belong to Spain, and forms of address.
//!
//! Sources: for the forms of `vosotros`, the conjugation models of the *Nueva
//! gramática de la lengua española* (RAE and ASALE, 2009, 4.13); for words, the
//! *Diccionario panhispánico de dudas* (2005) and the *Diccionario de
//! americanismos* (2010), which mark them as of Spain or name what is said in
//! America. A word is here only if it is hardly said anywhere in America in this
//! sense: `coche`, `piso`, `zumo de naranja` on a menu of Havana are a matter of
//! country, and a list that is wrong is switched off.

/// A word of Spain.
#[derive(Debug)]
pub(super) struct Form {
    /// In lower case.
    pub(super) word: &'static str,
    /// It is meant only behind one of these words; anywhere, if there are none.
    pub(super) after: &'static [&'static str],
    /// What is said in America.
    pub(super) instead: &'static str,
}

const fn form(word: &'static str, instead: &'static str) -> Form {
    Form {
        word,
        after: &[],
        instead,
    }
}

/// Where `móvil` is the thing and not `mobile`.
const THE: &[&str] = &[
    "el",
    "un",
    "mi",
    "tu",
    "su",
    "del",
    "al",
    "este",
    "ese",
    "teléfono",
    "coge",
    "los",
    "mis",
    "tus",
    "sus",
    "nuestro",
    "otro",
    "sin",
    "teléfonos",
];

const USTEDES: &str = "the form of `ustedes`";

/// The words.
pub(super) const OF_SPAIN: &[Form] = &[
    // Pronouns of vosotros: not in use anywhere in America (DPD, s. v. vosotros).
    form("vosotros", "`ustedes`"),
    form("vosotras", "`ustedes`"),
    form("vuestro", "`su`"),
    form("vuestra", "`su`"),
    form("vuestros", "`sus`"),
    form("vuestras", "`sus`"),
    form("os", "`los` or `les`"),
    // Forms of vosotros that the endings below do not tell.
    form("sois", USTEDES),
    form("vais", USTEDES),
    form("dais", USTEDES),
    form("veis", USTEDES),
    form("vayáis", USTEDES),
    form("fuisteis", USTEDES),
    form("visteis", USTEDES),
    form("disteis", USTEDES),
    form("hicisteis", USTEDES),
    form("erais", USTEDES),
    form("ibais", USTEDES),
    form("veíais", USTEDES),
    form("daos", USTEDES),
    form("idos", USTEDES),
    form("callaos", USTEDES),
    form("sentaos", USTEDES),
    form("marchaos", USTEDES),
    form("preparaos", USTEDES),
    form("acercaos", USTEDES),
    form("quedaos", USTEDES),
    // Vulgar for sex in much of America (DPD, s. v. coger).
    form("coger", "`tomar` or `agarrar`"),
    form("coge", "`toma` or `agarra`"),
    form("coges", "`tomas` or `agarras`"),
    form("cogen", "`toman` or `agarran`"),
    form("cojo", "`tomo` or `agarro`"),
    form("coja", "`tome` or `agarre`"),
    form("cogió", "`tomó` or `agarró`"),
    form("cogí", "`tomé` or `agarré`"),
    form("cogiendo", "`tomando` or `agarrando`"),
    form("cogido", "`tomado` or `agarrado`"),
    form("cogerlo", "`tomarlo` or `agarrarlo`"),
    form("cógelo", "`tómalo` or `agárralo`"),
    // Things that have another name in all of America (DPD, DA).
    form("ordenador", "`computadora` or `computador`"),
    form("ordenadores", "`computadoras` or `computadores`"),
    Form {
        word: "móvil",
        after: THE,
        instead: "`celular`",
    },
    Form {
        word: "móviles",
        after: THE,
        instead: "`celulares`",
    },
    form("vídeo", "`video`"),
    form("vídeos", "`videos`"),
    form("patata", "`papa`"),
    form("patatas", "`papas`"),
    form("zumo", "`jugo`"),
    form("zumos", "`jugos`"),
    form("melocotón", "`durazno`"),
    form("melocotones", "`duraznos`"),
    form("aparcar", "`estacionar`"),
    form("aparcado", "`estacionado`"),
    form("aparcamiento", "`estacionamiento`"),
    form("fontanero", "`plomero`"),
    form("chófer", "`chofer`"),
    form("fichero", "`archivo`"),
    form("ficheros", "`archivos`"),
    // Speech (DA marks them as of Spain, or does not have them).
    form("gilipollas", "a word of the region"),
    form("chaval", "`chico`, `muchacho`"),
    form("chavales", "`chicos`, `muchachos`"),
    form("guay", "`genial`"),
    form("mola", "`está genial`"),
    form("molan", "`están geniales`"),
    form("currar", "`trabajar`"),
    form("curro", "`trabajo`"),
    form("joder", "a word of the region"),
    form("hostia", "a word of the region"),
];

/// Endings that only forms of vosotros have, each with the fewest bytes before
/// it.
pub(super) const ENDINGS: &[(&str, usize)] = &[
    ("áis", 2),
    ("éis", 2),
    ("abais", 2),
    ("íais", 1),
    ("asteis", 1),
    ("isteis", 1),
    ("arais", 2),
    ("ierais", 1),
    ("aseis", 2),
    ("ieseis", 1),
];

/// Words with these endings that are none of them.
pub(super) const NOT_OF_SPAIN: &[&str] = &["dieciséis", "veintiséis", "seiséis"];

/// What people of rank are addressed as behind `vuestra`.
pub(super) const RANKS: &[&str] = &[
    "majestad",
    "alteza",
    "merced",
    "excelencia",
    "señoría",
    "eminencia",
    "santidad",
    "gracia",
    "reverencia",
    "ilustrísima",
];

/// A word that shows how the reader is addressed.
#[derive(Debug)]
pub(super) struct AddressForm {
    /// The language.
    pub(super) language: &'static str,
    /// The word.
    pub(super) word: &'static str,
    /// The form of address.
    pub(super) form: &'static str,
    /// The word means something else in another case.
    pub(super) is_cased: bool,
}

const fn address(language: &'static str, word: &'static str, form: &'static str) -> AddressForm {
    AddressForm {
        language,
        word,
        form,
        is_cased: false,
    }
}

/// Words that show a form of address and nothing else. `te` is of `tú` and of
/// `vos`, `su` of anybody: they are not here.
pub(super) const ADDRESS: &[AddressForm] = &[
    address("es", "tú", "tú"),
    address("es", "contigo", "tú"),
    address("es", "puedes", "tú"),
    address("es", "quieres", "tú"),
    address("es", "tienes", "tú"),
    address("es", "eres", "tú"),
    address("es", "debes", "tú"),
    address("es", "sabes", "tú"),
    address("es", "necesitas", "tú"),
    address("es", "usted", "usted"),
    address("es", "vos", "vos"),
    address("es", "sos", "vos"),
    address("es", "podés", "vos"),
    address("es", "querés", "vos"),
    address("es", "tenés", "vos"),
    address("es", "sabés", "vos"),
    address("es", "debés", "vos"),
    address("es", "necesitás", "vos"),
    address("de", "du", "du"),
    address("de", "dir", "du"),
    address("de", "dich", "du"),
    address("de", "dein", "du"),
    address("de", "deine", "du"),
    AddressForm {
        language: "de",
        word: "Sie",
        form: "Sie",
        is_cased: true,
    },
    AddressForm {
        language: "de",
        word: "Ihnen",
        form: "Sie",
        is_cased: true,
    },
];
