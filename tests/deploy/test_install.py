#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `meson install` puts where: into a folder of its own, then looked at and used as a person would. Prints
TAP. SHOAL_BUILD is the build folder, SHOAL_SOURCE the source tree."""

import glob
import json
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import main, need, run  # noqa: E402

BUILD = os.environ["SHOAL_BUILD"]
SOURCE = os.environ["SHOAL_SOURCE"]
EXPOSURE_MOST = 1.5  # of 10, by systemd-analyze security; what is left is the network


class World:
    def __init__(self, folder):
        self.folder = folder
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", folder)
        asked = json.loads(run("meson", "introspect", "--buildoptions", BUILD).stdout)
        self.options = {option["name"]: option["value"] for option in asked}
        self.prefix = folder + self.options["prefix"]
        self.shoal = os.path.join(self.prefix, self.options["bindir"], "shoal")
        self.share = os.path.join(self.prefix, self.options["datadir"])
        self.man = os.path.join(self.prefix, self.options["mandir"])
        self.etc = folder + os.path.join(self.options["prefix"], self.options["sysconfdir"], "shoal")
        page = run(self.shoal, "--help").stdout
        listed = page[page.index("Commands:"):]
        self.commands = re.findall(r"^  ([a-z][a-z-]*)\b", listed, re.M)

    def one(self, name):
        """The one installed file of this name below the folder."""
        found = [os.path.join(where, name) for where, _, files in os.walk(self.folder) if name in files]
        assert len(found) == 1, f"{name}: {found}"
        return found[0]


def everything_is_where_it_is_looked_for(world):
    assert len(world.commands) > 20, world.commands
    wanted = [world.shoal, f"{world.man}/man1/shoal.1", f"{world.man}/man5/shoal.yaml.5",
              f"{world.share}/bash-completion/completions/shoal", f"{world.etc}/shoal.yaml",
              f"{world.etc}/promotions.yaml"]
    wanted += [f"{world.man}/man1/shoal-{name}.1" for name in world.commands]
    wanted += [f"{world.share}/doc/shoal/{name}" for name in
               ("README.md", "CHANGELOG.md", "formats.md", "models.md", "options.md", "redis.md", "runbook.md")]
    wanted += [f"{world.share}/shoal/{name}" for name in ("asyncapi.yaml", "redis.acl", "schemas/decision.json")]
    if os.path.exists(os.path.join(SOURCE, "stream", "page", "meson.build")):
        wanted.append(f"{world.share}/shoal/page/index.html")
    missing = [path for path in wanted if not os.path.isfile(path)]
    assert not missing, missing
    for name in ("shoal.service", "shoal@.service", "shoal-retrain.service", "shoal-retrain.timer", "_shoal"):
        world.one(name)
    pages = {os.path.basename(path) for path in glob.glob(f"{world.man}/man1/*")}
    assert pages == {"shoal.1", *(f"shoal-{name}.1" for name in world.commands)}, pages


def no_path_of_the_build_is_left_in_a_text(world):
    for where, _, files in os.walk(world.folder):
        for name in files:
            path = os.path.join(where, name)
            with open(path, "rb") as file:
                data = file.read()
            if data[:4] == b"\x7fELF":
                continue
            assert BUILD.encode() not in data and world.folder.encode() not in data, path
            if "/systemd/" in path or "/etc/" in path:
                assert not re.search(rb"@[A-Z]+@", data), path


def the_program_runs_from_there(world):
    version = run(world.shoal, "--version").stdout.split()[1]
    with open(os.path.join(SOURCE, "meson.build"), encoding="utf-8") as file:
        assert f"version: '{version}'" in file.read()


def the_configuration_is_accepted_and_names_what_the_unit_may_write(world):
    path = f"{world.etc}/shoal.yaml"
    assert "fine" in run(world.shoal, "config", "--check", path).stdout
    with open(path, encoding="utf-8") as file:
        found = file.read().splitlines()
    with open(os.path.join(SOURCE, "deploy", "shoal.yaml"), encoding="utf-8") as file:
        sample = file.read().splitlines()
    changed = [new for old, new in zip(sample, found, strict=True) if old != new and not new.startswith("#")]
    assert changed == ["  path: /var/lib/shoal/models", "  history: /var/lib/shoal/promotions"], changed
    with open(world.one("shoal.service"), encoding="utf-8") as file:
        assert "StateDirectory=shoal " in file.read()


def manual_pages_render_without_a_warning(world):
    need("groff")
    pages = glob.glob(f"{world.man}/man?/*")
    for page in pages:
        done = run("groff", "-ww", "-man", "-Tutf8", "-P-cbou", page)
        assert not done.stderr, f"{page}: {done.stderr}"
        for heading in ("NAME", "SEE ALSO"):
            assert re.search(rf"^{heading}", done.stdout, re.M), page
    for command in ("run", "config", "train"):
        text = run("groff", "-man", "-Tascii", "-P-cbou", f"{world.man}/man1/shoal-{command}.1").stdout
        for option in re.findall(r"^  (--[a-z-]+)", run(world.shoal, command, "--help").stdout, re.M):
            assert option in text, f"shoal-{command}.1 lacks {option}"


def mandoc_finds_nothing_to_warn_of(world):
    mandoc = need("mandoc")
    for page in glob.glob(f"{world.man}/man?/*"):
        done = run(mandoc, "-Tlint", "-Wwarning", page, code=None)
        told = [line for line in done.stdout.splitlines() if "missing date" not in line]
        assert not told, told


def whatis_can_index_the_pages(world):
    lexgrog = need("lexgrog")
    for page in glob.glob(f"{world.man}/man?/*"):
        name = os.path.basename(page).rsplit(".", 1)[0]
        said = run(lexgrog, page).stdout
        assert f'"{name} - ' in said, said


def bash_completes_commands_and_options(world):
    script = f"{world.share}/bash-completion/completions/shoal"
    text = run("bash", "-c", f". {script}; COMP_CWORD=1; COMP_WORDS=(shoal retr); _shoal; echo ${{COMPREPLY[0]}};"
                             "COMP_CWORD=2; COMP_WORDS=(shoal run --exit); _shoal; echo ${COMPREPLY[0]}").stdout
    assert text == "retrain\n--exit-at-end\n", text


def zsh_completes_commands_and_options(world):
    """By zsh's own completion, in a terminal of its own."""
    zsh = need("zsh")
    folder = os.path.dirname(world.one("_shoal"))
    script = f"""
zmodload zsh/zpty
zpty z {zsh} -f -i
zpty -w z 'PROMPT=; RPROMPT=; unsetopt zle_bracketed_paste; fpath=({folder} $fpath); TERM=dumb;' \
    'autoload -Uz compinit; compinit -u -D; compdef'
zpty -w z 'bindkey "^I" complete-word; echo READY${{_comps[shoal]}}'
zpty -r z out '*READY_shoal*' || exit 9
zpty -w -n z $'echo DONE; shoal retr\\t; \\C-u shoal run --exit-at\\t;\\n'
zpty -r z out '*exit-at-end*' || exit 8
print -r -- $out
"""
    done = run(zsh, "-f", "-c", script, timeout=60, env={**os.environ, "TERM": "dumb"})
    assert "retrain" in done.stdout and "--exit-at-end" in done.stdout, repr(done.stdout)


def units_can_be_loaded_and_are_shut_in(world):
    analyze = need("systemd-analyze")
    units = []
    for name in ("shoal.service", "shoal@.service", "shoal-retrain.service", "shoal-retrain.timer"):
        with open(world.one(name), encoding="utf-8") as file:
            text = file.read()
        # The program is not where it will be; everything else stays as it is.
        bindir = os.path.join(world.options["prefix"], world.options["bindir"])
        text = text.replace(f"ExecStart={bindir}/", f"ExecStart={world.folder}{bindir}/")
        units.append(os.path.join(world.folder, name))
        with open(units[-1], "w", encoding="utf-8") as file:
            file.write(text)
    done = run(analyze, "verify", "--man=no", *units, code=None)
    assert done.returncode == 0 and not done.stderr.strip(), done.stderr
    for unit in units[:3]:
        said = run(analyze, "security", "--offline=true", "--no-pager", unit).stdout
        exposure = float(re.search(r"exposure level for \S+: ([0-9.]+)", said).group(1))
        assert exposure <= EXPOSURE_MOST, f"{unit}: {exposure}\n{said}"
        run(analyze, "security", "--offline=true", f"--threshold={round(EXPOSURE_MOST * 10)}", unit)


def the_user_and_its_folder_can_be_made(world):
    need("systemd-sysusers")
    root = os.path.join(world.folder, "root")
    os.makedirs(os.path.join(root, "etc"))
    conf = [os.path.join(where, "shoal.conf") for where, _, files in os.walk(world.folder)
            if "shoal.conf" in files]
    users = next(path for path in conf if "sysusers" in path)
    folders = next(path for path in conf if "tmpfiles" in path)
    run("systemd-sysusers", f"--root={root}", users)
    with open(os.path.join(root, "etc", "passwd"), encoding="utf-8") as file:
        assert re.search(r"^shoal:.*:/var/lib/shoal:/usr/sbin/nologin$", file.read(), re.M)
    run("systemd-tmpfiles", f"--root={root}", "--create", folders)
    assert os.stat(f"{root}/var/lib/shoal/models").st_mode & 0o777 == 0o750


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="shoal-test-install-") as where:
        os.umask(0o022)
        sys.exit(main([everything_is_where_it_is_looked_for, no_path_of_the_build_is_left_in_a_text,
                       the_program_runs_from_there,
                       the_configuration_is_accepted_and_names_what_the_unit_may_write,
                       manual_pages_render_without_a_warning, mandoc_finds_nothing_to_warn_of,
                       whatis_can_index_the_pages, bash_completes_commands_and_options,
                       zsh_completes_commands_and_options, units_can_be_loaded_and_are_shut_in,
                       the_user_and_its_folder_can_be_made], World(where)))
