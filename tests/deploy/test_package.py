#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Debian package: built by tools/package, then looked into and unpacked. Prints TAP. SHOAL_SOURCE is the
source tree."""

import glob
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import Skip, main, need, run  # noqa: E402

SOURCE = os.environ["SHOAL_SOURCE"]


class World:
    """The package is built by the first test, so that a failure is one."""

    def __init__(self, folder):
        self.folder, self.path, self.root = folder, None, os.path.join(folder, "root")

    def package(self):
        if not self.path:
            raise Skip("no package was built")
        return self.path

    def control(self, name):
        return run("dpkg-deb", "--info", self.package(), name).stdout


def one_command_builds_a_package_in_which_lintian_finds_no_error(world):
    for program in ("dpkg-buildpackage", "dh", "lintian"):
        need(program)
    run(os.path.join(SOURCE, "tools", "package"), "--out", world.folder, timeout=1700)
    world.path, = glob.glob(f"{world.folder}/shoal_*.deb")
    with open(f"{world.folder}/lintian.log", encoding="utf-8") as file:
        assert not re.search("^[EW]:", file.read(), re.M), "see lintian.log"


def it_depends_on_the_libraries_that_the_program_loads(world):
    depends = run("dpkg-deb", "--field", world.package(), "Depends").stdout
    assert depends.startswith("libblis4-serial,"), "apt would take the one with threads of its own"
    for library in ("libblis", "libhiredis", "librdkafka1", "libnlopt0", "libyaml-0-2", "libzstd1", "libc6"):
        assert library in depends, depends


def everything_lies_where_debian_looks(world):
    listing = run("dpkg-deb", "--contents", world.package()).stdout
    paths = {line.split()[5].removeprefix(".") for line in listing.splitlines() if len(line.split()) > 5}
    for path in ("/usr/bin/shoal", "/usr/share/man/man1/shoal-run.1.gz", "/usr/share/man/man5/shoal.yaml.5.gz",
                 "/usr/share/bash-completion/completions/shoal", "/usr/share/zsh/vendor-completions/_shoal",
                 "/etc/shoal/shoal.yaml", "/etc/shoal/promotions.yaml", "/lib/systemd/system/shoal.service",
                 "/lib/systemd/system/shoal@.service", "/lib/systemd/system/shoal-retrain.service",
                 "/lib/systemd/system/shoal-retrain.timer", "/usr/lib/sysusers.d/shoal.conf",
                 "/usr/lib/tmpfiles.d/shoal.conf", "/usr/share/doc/shoal/copyright",
                 "/usr/share/doc/shoal/changelog.gz"):
        assert path in paths, f"{path} is not in the package"
    if os.path.exists(os.path.join(SOURCE, "stream", "page", "meson.build")):
        assert "/usr/share/shoal/page/index.html" in paths, "the dashboard is not in the package: run tools/setup"
    odd = [path for path in paths if path.startswith("/usr/local") or "__pycache__" in path]
    assert not odd, odd


def configuration_files_are_kept_over_upgrades(world):
    assert world.control("conffiles").split() == ["/etc/shoal/promotions.yaml", "/etc/shoal/shoal.yaml"]


def it_makes_the_user_enables_the_units_and_starts_nothing(world):
    script = world.control("postinst")
    user, folder = script.index("systemd-sysusers"), script.index("systemd-tmpfiles")
    assert user < folder, "the folder is made before its owner"
    for unit in ("shoal.service", "shoal-retrain.timer"):
        assert re.search(rf"deb-systemd-helper enable '{unit}'", script), script
    assert not re.search(r"deb-systemd-invoke \S*start|_dh_action=start", script), script


def what_runs_is_started_anew_by_an_upgrade_and_ended_by_a_removal(world):
    """An upgrade waits for no Kafka and starts nothing that somebody has stopped; units with names count too."""
    assert re.search(r"systemctl --no-block try-restart shoal.service 'shoal@\*.service'", world.control("postinst"))
    assert "try-restart" not in world.control("prerm")
    line = re.search(r"^ *deb-systemd-invoke stop (.*) \|\| true$", world.control("prerm"), re.M)
    assert line and set(line[1].replace("'", "").split()) == \
        {"shoal.service", "shoal@*.service", "shoal-retrain.timer", "shoal-retrain.service"}, line


def purging_leaves_nothing_behind(world):
    """Everything that the units and the package write to, but for the user, whose number must not be another's."""
    script = world.control("postrm")
    assert re.search(r"= purge \]; then\n *rm -rf /etc/shoal /var/lib/shoal\n", script), script
    for left in ("multi-user.target.wants/shoal@*.service", "stamp-shoal-retrain.timer"):
        assert left in script, left


def the_unpacked_program_runs(world):
    run("dpkg-deb", "--extract", world.package(), world.root)
    shoal = f"{world.root}/usr/bin/shoal"
    assert run(shoal, "--version").stdout.startswith("shoal ")
    assert "fine" in run(shoal, "config", "--check", f"{world.root}/etc/shoal/shoal.yaml").stdout
    with open(f"{world.root}/lib/systemd/system/shoal.service", encoding="utf-8") as file:
        assert "ExecStart=/usr/bin/shoal run --config /etc/shoal/shoal.yaml" in file.read()


def no_debian_folder_is_left_in_the_tree(_):
    assert not os.path.exists(os.path.join(SOURCE, "debian"))


def what_it_is_built_with_is_what_setup_installs(_):
    """But for the compiler, which every Debian build has, and what only tests need."""
    with open(os.path.join(SOURCE, "tools", "setup"), encoding="utf-8") as file:
        listed = re.search(r"build_packages=\((.*?)\)", file.read(), re.S).group(1).split()
    with open(os.path.join(SOURCE, "deploy", "debian", "control"), encoding="utf-8") as file:
        text = re.search(r"Build-Depends:(.*?)\n(?=\S)", file.read(), re.S).group(1)
    wanted = {re.sub(r"\(.*", "", one).strip() for one in text.split(",")}
    wanted -= {"debhelper-compat", "systemd"}
    assert wanted == \
        set(listed) - {"gcc", "libc6-dev", "ninja-build", "libcriterion-dev", "libopenmpi-dev", "openmpi-bin"}, \
        wanted ^ set(listed)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="shoal-test-package-") as where:
        sys.exit(main([what_it_is_built_with_is_what_setup_installs,
                       one_command_builds_a_package_in_which_lintian_finds_no_error,
                       it_depends_on_the_libraries_that_the_program_loads, everything_lies_where_debian_looks,
                       configuration_files_are_kept_over_upgrades,
                       it_makes_the_user_enables_the_units_and_starts_nothing,
                       what_runs_is_started_anew_by_an_upgrade_and_ended_by_a_removal, purging_leaves_nothing_behind,
                       the_unpacked_program_runs,
                       no_debian_folder_is_left_in_the_tree], World(where)))
