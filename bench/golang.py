"""The two peers written in Go, built once from their modules into a cache folder when `go` is here."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.names import CACHE

GO_LANGUAGE = "1.25"

COREDNS_MAIN = """package main

import (
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/hosts"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
)

func init() { dnsserver.Directives = []string{"bind", "cache", "hosts", "forward"} }

func main() { coremain.Run() }
"""


@dataclass(frozen=True)
class Module:
    path: str
    version: str
    main: str = ""  # own main package; "" = the module's


MODULES = {
    "coredns": Module("github.com/coredns/coredns", "v1.15.0", COREDNS_MAIN),
    "dnsproxy": Module("github.com/AdguardTeam/dnsproxy", "v0.84.0"),
}


def folder(name: str) -> Path:
    return CACHE / f"{name}-{MODULES[name].version}"


def binary(name: str) -> Path:
    return folder(name) / name


def title(name: str) -> Callable[[], str]:
    return lambda: f"{name} {MODULES[name].version}"


def build(name: str) -> str:
    """Make the binary unless it is there; why that did not work, or ""."""
    if binary(name).exists():
        return ""
    if shutil.which("go") is None:
        return "go is not installed"
    target = _write_sources(name)
    done = subprocess.run(
        ["go", "build", "-mod=mod", "-o", str(binary(name)), target],
        cwd=folder(name),
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else f"go build failed: {done.stderr.strip()[-300:]}"


def _write_sources(name: str) -> str:
    """A scratch module that requires only this one; what to build in it."""
    module = MODULES[name]
    folder(name).mkdir(parents=True, exist_ok=True)
    (folder(name) / "go.mod").write_text(
        f"module bench/{name}\n\ngo {GO_LANGUAGE}\n\nrequire {module.path} {module.version}\n"
    )
    if module.main:
        (folder(name) / "main.go").write_text(module.main)
    return "." if module.main else module.path
