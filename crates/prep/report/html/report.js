// The page's own script: the theme, and the examples that can be searched.
// Text of a dataset is only ever set as text.
(() => {
  "use strict";
  const find = (id) => document.getElementById(id);
  const root = document.documentElement;

  const theme = find("theme");
  const isDark = () =>
    root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
  const nameTheme = () => {
    theme.textContent = isDark() ? "Light theme" : "Dark theme";
  };
  theme.hidden = false;
  nameTheme();
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    nameTheme();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", nameTheme);

  const list = find("example-list");
  if (!list) return;
  const { examples } = JSON.parse(find("data").textContent);
  const [search, code, language] = ["search", "code", "language"].map(find);
  const [count, more, form] = ["count", "more", "filter"].map(find);
  const STEP = 20;
  const fold = (text) => text.normalize("NFKC").toLocaleLowerCase();
  for (const example of examples) {
    example.folded = fold([example.place, ...example.texts.map((said) => said[1])].join("\n"));
  }

  const element = (name, options, ...inside) => {
    const made = Object.assign(document.createElement(name), options);
    made.append(...inside);
    return made;
  };

  // A text with what is searched for marked. Folding may change the length of
  // a text; nothing is marked then.
  const marked = (text, wanted) => {
    const folded = fold(text);
    if (!wanted || folded.length !== text.length) return [text];
    const parts = [];
    let at = 0;
    for (;;) {
      const found = folded.indexOf(wanted, at);
      if (found < 0) return [...parts, text.slice(at)];
      parts.push(text.slice(at, found));
      at = found + wanted.length;
      parts.push(element("mark", {}, text.slice(found, at)));
    }
  };

  const drawn = (example, wanted) => {
    const facts = [
      example.tokens === null ? "not an example" : `${example.tokens.toLocaleString("en")} tokens`,
      ...(example.languages.some((name) => name)
        ? [example.languages.map((name) => name ?? "?").join(" → ")]
        : []),
      ...(example.codes.length ? [example.codes.join(", ")] : []),
    ];
    const turns = example.texts.map(([who, text, isCut]) =>
      element(
        "div",
        { className: "turn" },
        element("span", { className: "who" }, who),
        element("p", { className: "data", dir: "auto" }, ...marked(text, wanted), isCut ? " …" : ""),
      ),
    );
    const heading = element(
      "h3",
      { id: `example-${example.id}`, tabIndex: -1 },
      element("bdi", {}, example.place),
      element("span", { className: "facts" }, facts.join(" · ")),
    );
    const article = element("article", { className: "example" }, heading, ...turns);
    article.setAttribute("aria-labelledby", heading.id);
    if (example.more) article.append(element("p", { className: "quiet" }, "More turns follow."));
    return article;
  };

  let only = null;
  let shown = STEP;
  let matching = [];

  const draw = () => {
    const wanted = fold(search.value.trim());
    list.replaceChildren(...matching.slice(0, shown).map((example) => drawn(example, wanted)));
    more.hidden = matching.length <= shown;
  };

  const filter = () => {
    const wanted = fold(search.value.trim());
    matching = examples.filter((example) =>
      only !== null
        ? example.id === only
        : (!wanted || example.folded.includes(wanted)) &&
          (!code.value || example.codes.includes(code.value)) &&
          (!language.value || example.languages.includes(language.value)),
    );
    shown = STEP;
    draw();
    const all = examples.length.toLocaleString("en");
    count.textContent =
      matching.length === examples.length
        ? `${all} examples`
        : `${matching.length.toLocaleString("en")} of ${all} examples`;
    form.elements.clear.hidden = matching.length === examples.length;
  };

  const clear = () => {
    only = null;
    form.reset();
    if (location.hash.startsWith("#example-")) history.replaceState(null, "", "#examples");
    filter();
  };

  const follow = () => {
    const id = /^#example-(\d+)$/.exec(location.hash);
    if (!id) return;
    form.reset();
    only = Number(id[1]);
    filter();
    const heading = find(`example-${only}`);
    if (!heading) return;
    find("examples").scrollIntoView();
    heading.focus({ preventScroll: true });
  };

  form.addEventListener("input", () => {
    only = null;
    filter();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.elements.clear.addEventListener("click", () => {
    clear();
    search.focus();
  });
  more.addEventListener("click", () => {
    const next = shown;
    shown += STEP;
    draw();
    list.children[next]?.querySelector("h3").focus();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-code]");
    if (!button) return;
    clear();
    code.value = button.dataset.code;
    filter();
    find("examples").scrollIntoView();
    code.focus({ preventScroll: true });
  });
  addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, select, textarea");
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    }
  });
  addEventListener("beforeprint", () => {
    shown = matching.length;
    draw();
  });
  addEventListener("hashchange", follow);
  filter();
  follow();
})();
