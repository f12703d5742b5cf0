"""Files that import one another become one module, or are refused with a reason."""

from pathlib import Path

import pytest

from camwidget.panel.modules import STATIC, joined


def write(folder: Path, **files: str) -> Path:
    for name, source in files.items():
        (folder / f"{name}.js").write_text(source)
    return folder


def test_each_file_comes_once_behind_those_it_imports_and_without_its_imports(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        main='/** Main. */\n\nimport { b } from "./b.js";\nimport {\n  a,\n  other,\n} from "./a.js";\n\n'
        "export default { b };\n",
        b='import { a } from "./a.js";\n\nexport const b = a + 1;\n',
        a="export const a = 1;\nexport function other() {\n  const inside = 2;\n}\n",
    )

    source = joined("main.js", folder=folder)

    assert source == (
        "export const a = 1;\nexport function other() {\n  const inside = 2;\n}\n\n"
        "export const b = a + 1;\n\n"
        "/** Main. */\n\n\nexport default { b };\n"
    )


def test_what_looks_like_code_in_comments_strings_and_templates_is_left_alone(tmp_path: Path) -> None:
    source = (
        '/** @typedef {import("./types.js").Model} Model */\n// import x from "y"\n/*\nimport a from "./b.js";\n*/\n'
        'export const a = "import " + \'require("x")\';\n'
        "export const b = `\nconst a = 1;\n${a ? `const ${b}` : ``}\nconst b = 2;\n`;\n"
    )

    assert joined("main.js", folder=write(tmp_path, main=source)) == source


@pytest.mark.parametrize(
    "line",
    [
        'import a from "./a.js";',
        'import * as all from "./a.js";',
        'import { a as b } from "./a.js";',
        'import a, { b } from "./a.js";',
        'import "./a.js";',
        'import { a } from "a";',
        'import { a } from "../a.js";',
        'import { a } from "./a.js"',
        "import { a } from './a.js';",
        '  import { a } from "./a.js";',
        'const x = await import("./a.js");',
        "const x = import.meta.url;",
        'const x = require("./a.js");',
        'export { a } from "./a.js";',
        'export * from "./a.js";',
        "export { a };",
        "export default function () {}",
        "export default class A {}",
        "const { a } = things;",
        "export const [a] = things;",
    ],
)
def test_a_form_that_cannot_be_joined_is_refused_with_its_line(line: str, tmp_path: Path) -> None:
    folder = write(tmp_path, main=f"const before = 1;\n{line}\nconst after = 2;\n", a="export const a = 1;\n")

    with pytest.raises(ImportError) as caught:
        joined("main.js", folder=folder)

    assert "main.js" in str(caught.value)
    assert line.split('"')[0].split("'")[0].strip() in str(caught.value)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"main": 'import { a } from "./gone.js";\n'}, r"main\.js imports gone\.js, which is not in"),
        (
            {"main": 'import { b } from "./a.js";\n', "a": "const b = 1;\n"},
            r"imports 'b' from a\.js, which exports no such",
        ),
        (
            {"main": 'import { a } from "./a.js";\nfunction help() {}\n', "a": "export const a = 1;\nclass help {}\n"},
            r"main\.js and a\.js both have a 'help'",
        ),
        ({"main": "const a = 1;\nasync function a() {}\n"}, r"main\.js has 'a' twice"),
        (
            {
                "main": 'import { a } from "./a.js";\nexport default {};\n',
                "a": "export const a = 1;\nexport default {};\n",
            },
            "both have a 'export default'",
        ),
        (
            {"main": 'import { a } from "./a.js";\n', "a": 'import { b } from "./main.js";\nexport const a = 1;\n'},
            r"main\.js imports a\.js imports main\.js: files in a circle",
        ),
    ],
    ids=["missing file", "missing name", "collision", "twice", "two defaults", "circle"],
)
def test_what_would_change_its_meaning_is_refused(files: dict[str, str], told: str, tmp_path: Path) -> None:
    with pytest.raises(ImportError, match=told):
        joined("main.js", folder=write(tmp_path, **files))


def test_a_file_that_is_asked_for_and_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImportError, match=r"gone\.js is asked for, which is not in"):
        joined("gone.js", folder=tmp_path)


def test_a_module_has_the_lines_of_its_files_and_no_import() -> None:
    source = joined("picture.js")

    assert "export function spread(" in source
    assert source.index("export function stepOf(") < source.index("export function spread(")
    assert source.rstrip().endswith("export default { render };")
    assert (STATIC / "picture.js").read_text().count("import {") > 5
    assert "import {" not in source
