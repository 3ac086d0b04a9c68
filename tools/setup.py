"""Make the virtual environment and what the tests need from the system. Standard library only.

Used by the Makefile: `python3.11 tools/setup.py run|dev|browser`. It runs before anything is
installed, so its few sentences carry both languages here instead of in locale/.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
WANTED = (3, 11)
REQUIREMENTS = {
    "run": (ROOT / "requirements.txt",),
    "dev": (ROOT / "requirements-dev.txt", ROOT / "requirements.txt"),
}
FREE_BYTES = {"run": 3_500_000_000, "dev": 4_000_000_000}  # installed, and the archives meanwhile
COMPILED = "libinjection-python"  # the one package without wheels
CHINESE = next(
    (
        os.environ[name].lower().startswith("zh")
        for name in ("LC_ALL", "LC_MESSAGES", "LANG")
        if os.environ.get(name)
    ),
    False,
)


def in_language(english: str, chinese: str) -> str:
    return chinese if CHINESE else english


def say(english: str, chinese: str) -> None:
    print(in_language(english, chinese), flush=True)


class Failed(Exception):
    """What is wrong and what to do, in the reader's language."""

    def __init__(self, english: str, chinese: str) -> None:
        super().__init__(in_language(english, chinese))


# --- Packages -------------------------------------------------------------------------------


def install(kind: str) -> None:
    """Install a set of requirements into .venv, unless exactly these are there already."""
    stamp = VENV / f".installed-{kind}"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == fingerprint(kind):
        stamp.touch()  # make compares times
        return
    check_version()
    check_disk(FREE_BYTES[kind] if not has_torch() else 1_500_000_000)
    began = time.monotonic()
    make_environment()
    check_compiler()
    if index := os.environ.get("TORCH_INDEX"):
        torch = pinned("torch")
        pip("PyTorch", "install", "--index-url", index, torch)
    say(
        "Installing packages into .venv: once, some minutes.",
        "正在把依赖安装到 .venv：只需一次，约几分钟。",
    )
    pip(in_language("packages", "依赖"), "install", "-r", str(REQUIREMENTS[kind][0]))
    # The dev set holds everything that `run` needs.
    for done in ("run", "dev") if kind == "dev" else ("run",):
        (VENV / f".installed-{done}").write_text(fingerprint(done), encoding="utf-8")
    seconds = time.monotonic() - began
    say(f"Installed in {seconds:.0f} s.", f"安装完成，用时 {seconds:.0f} 秒。")


def fingerprint(kind: str) -> str:
    """Return what a set of requirements asks for, as a hash."""
    files = b"".join(path.read_bytes() for path in REQUIREMENTS[kind])
    return hashlib.sha256(files + os.environ.get("TORCH_INDEX", "").encode()).hexdigest()


def check_version() -> None:
    """Refuse an interpreter that the pinned packages were not tested with."""
    if sys.version_info[:2] == WANTED:
        return
    found = ".".join(map(str, sys.version_info[:2]))
    raise Failed(
        f"Python 3.11 is needed and this is {found} ({sys.executable}). Install it (Debian 12, "
        "Ubuntu: apt-get install python3.11 python3.11-venv python3.11-dev; or pyenv install "
        "3.11) or name it: make run PYTHON=/path/to/python3.11",
        f"需要 Python 3.11，而当前是 {found}（{sys.executable}）。请安装（Debian 12、Ubuntu："
        "apt-get install python3.11 python3.11-venv python3.11-dev；或 pyenv install 3.11），"
        "或指定路径：make run PYTHON=/path/to/python3.11",
    )


def check_disk(needed: int) -> None:
    """Refuse to begin what would fill the disk half-way."""
    free = shutil.disk_usage(ROOT).free
    if free >= needed:
        return
    raise Failed(
        f"The disk of {ROOT} has {free / 1e9:.1f} GB left, and installing needs "
        f"{needed / 1e9:.1f} GB. Make room and start again.",
        f"{ROOT} 所在磁盘只剩 {free / 1e9:.1f} GB，安装需要 {needed / 1e9:.1f} GB。"
        "请清理空间后重试。",
    )


def make_environment() -> None:
    """Make .venv, and make it anew when it is broken or of another Python."""
    if VENV.exists():
        probe = "import pip, sys; sys.exit(sys.version_info[:2] != (3, 11))"
        if PYTHON.exists() and quiet([PYTHON, "-c", probe]):
            return
        shutil.rmtree(VENV)
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise Failed(
            "The virtual environment cannot be made (Debian, Ubuntu: apt-get install "
            f"python3.11-venv):\n{made.stdout}{made.stderr}",
            "无法创建虚拟环境（Debian、Ubuntu：apt-get install python3.11-venv）：\n"
            f"{made.stdout}{made.stderr}",
        )


def check_compiler() -> None:
    """Refuse to begin without a C compiler and Python's headers, unless nothing is compiled."""
    if quiet([PYTHON, "-c", "import libinjection"]):
        return
    compilers = ((sysconfig.get_config_var("CC") or "cc").split()[0], "cc", "gcc", "clang")
    headers = Path(sysconfig.get_path("include")) / "Python.h"
    missing = [
        *([] if any(map(shutil.which, compilers)) else ["gcc libc6-dev"]),
        *([] if headers.exists() else ["python3.11-dev"]),
    ]
    if not missing:
        return
    # Somebody may have built it already: a wheel in pip's cache or on the company's index.
    ready = [PYTHON, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    if quiet([*ready, "--only-binary", ":all:", pinned(COMPILED)]):
        return
    names = " ".join(missing)
    raise Failed(
        f"{COMPILED} must be compiled, and a C compiler or Python's headers are missing. "
        f"Install them (Debian, Ubuntu: apt-get install {names}; Fedora: dnf install gcc "
        "python3.11-devel) and start again.",
        f"{COMPILED} 需要编译，但缺少 C 编译器或 Python 头文件。请安装（Debian、Ubuntu："
        f"apt-get install {names}；Fedora：dnf install gcc python3.11-devel）后重试。",
    )


def pinned(package: str) -> str:
    """Return "name==version" from requirements.txt."""
    lines = REQUIREMENTS["run"][0].read_text(encoding="utf-8").splitlines()
    return next(line.split("#")[0].strip() for line in lines if line.startswith(f"{package}=="))


def has_torch() -> bool:
    return any(VENV.glob("lib/python*/site-packages/torch"))


def quiet(command: list[str | Path]) -> bool:
    """Return whether a command succeeds, without a word."""
    return not subprocess.run(
        [str(part) for part in command], capture_output=True, stdin=subprocess.DEVNULL, check=False
    ).returncode


def pip(what: str, *arguments: str) -> None:
    """Run pip with one line of progress; everything it said is shown when it fails."""
    command = [str(PYTHON), "-m", "pip", *arguments]
    command += ["--progress-bar", "off", "--no-input", "--disable-pip-version-check"]
    said: list[str] = []
    collected, began, shown = 0, time.monotonic(), 0.0
    is_terminal = sys.stdout.isatty()
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            said.append(line)
            word, _, rest = line.strip().partition(" ")
            collected += word == "Collecting"
            if word not in ("Collecting", "Downloading", "Building", "Installing", "Using"):
                continue
            now = time.monotonic()
            state = f"  {what}: {collected}, {word.lower()} {rest}"[:100]
            if is_terminal:
                print(f"\r\033[K{state}", end="", flush=True)
            elif now - shown > 10 or word == "Installing":
                print(f"{state} ({now - began:.0f} s)", flush=True)
                shown = now
    if is_terminal:
        print("\r\033[K", end="", flush=True)
    if process.returncode:
        output = "".join(said)
        if "No space left on device" in output:
            check_disk(1 << 62)
        tail = "".join(said[-30:])
        raise Failed(
            f"pip failed. What it said last:\n{tail}\nStart again when this is solved: what is "
            "installed stays. Behind a proxy or for a mirror set PIP_INDEX_URL.",
            f"pip 失败，最后的输出：\n{tail}\n解决后重试即可，已安装的会保留。"
            "使用代理或镜像时请设置 PIP_INDEX_URL。",
        )


# --- Chromium and a Chinese font ----------------------------------------------------------------


def install_browser() -> None:
    """Have apt-get install what the browser tests need; say why when it may not."""
    missing = []
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        missing.append("chromium")
    if not has_chinese_font():
        missing.append("fonts-noto-cjk")
    if not missing:
        return
    names = " ".join(missing)
    if not shutil.which("apt-get"):
        reason = in_language("there is no apt-get", "没有 apt-get")
    elif os.geteuid() != 0 and not quiet(
        ["sudo", "-n", "true"] if shutil.which("sudo") else ["false"]
    ):
        reason = in_language("this needs root or sudo without a password", "需要 root 或免密 sudo")
    else:
        say(f"Installing {names} (apt-get)", f"正在安装 {names}（apt-get）")
        prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
        apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
        quiet([*apt, "update"])
        if quiet([*apt, "install", "-y", "--no-install-recommends", *missing]):
            return
        reason = in_language("apt-get failed", "apt-get 失败")
    say(
        f"Without {names}: {reason}. The browser tests are skipped.",
        f"缺少 {names}：{reason}。浏览器测试将被跳过。",
    )


def has_chinese_font() -> bool:
    if not shutil.which("fc-list"):
        return False
    fonts = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, check=False)
    return bool(fonts.stdout.strip())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("run", "dev", "browser"))
    what = parser.parse_args().what
    try:
        install_browser() if what == "browser" else install(what)
    except Failed as failure:
        print(f"\n✗ {failure}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"\n✗ {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nStopped. Start again: it goes on where it was.", "\n已停止。再次运行会继续。")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
