"""What fingers type that know PM2, and what to type here instead."""

from __future__ import annotations

_STATUS_PAGE = "The web view of the fleet is the page /status of the site."
_SETTINGS = "Settings are variables or a file: killreport config show shows them, with where each comes from."
_NO_MODULES = "There are no modules: logs rotate, and metrics are on the page /status, without any."
_UPDATE = "A new release takes over with killreport kill, then killreport start; no killmail is lost meanwhile."
_ALL = "Without a name the verb is for all: killreport {}."

# By the word in small letters.
INSTEAD = {
    "plus": _STATUS_PAGE,
    "web": _STATUS_PAGE,
    "monitor": _STATUS_PAGE,
    "unmonitor": _STATUS_PAGE,
    "link": _STATUS_PAGE,
    "unlink": _STATUS_PAGE,
    "open": _STATUS_PAGE,
    "register": _STATUS_PAGE,
    "login": _STATUS_PAGE,
    "env": "Environments are shown to nobody, for they hold secrets: killreport fleet show NAME tells which variables "
    "a process has of its own, killreport config show what the settings are.",
    "reset": "Restarts are counted by the supervisor; they begin anew with killreport kill, then killreport start.",
    "sendsignal": "Signals are sent by the shell: kill -s SIGUSR2 $(killreport pid NAME).",
    "update": _UPDATE,
    "updatepm2": _UPDATE,
    "deepupdate": _UPDATE,
    "forceupdate": _UPDATE,
    "startorrestart": "killreport start starts what does not run, killreport restart also what does.",
    "startorreload": "killreport start starts what does not run, killreport reload also replaces what does.",
    "startorgracefulreload": "killreport start starts what does not run, killreport reload also replaces what does.",
    "restartall": _ALL.format("restart"),
    "reloadall": _ALL.format("reload"),
    "stopall": _ALL.format("stop"),
    "deleteall": _ALL.format("delete"),
    "set": _SETTINGS,
    "get": _SETTINGS,
    "unset": _SETTINGS,
    "multiset": _SETTINGS,
    "conf": _SETTINGS,
    "install": _NO_MODULES,
    "uninstall": _NO_MODULES,
    "module:install": _NO_MODULES,
    "module:list": _NO_MODULES,
    "init": "The fleet is defined already; killreport fleet edit overrides a process, killreport export pm2 DIR "
    "writes it for PM2.",
    "ecosystem": "The fleet is defined already; killreport fleet edit overrides a process, killreport export pm2 "
    "DIR writes it for PM2.",
    "deploy": "docs/howto/install.md says how a release is installed and taken back.",
    "cleardump": "killreport save replaces what was saved; killreport delete forgets processes.",
    "report": "killreport show NAME, killreport ping and killreport db status tell what a report needs.",
    "attach": "No process reads its standard input; killreport logs NAME follows what one writes.",
    "help": "The option --help lists the verbs, and after a verb it tells about that one.",
    "id": "killreport pid NAME prints the pids of a process; processes have names here and no numbers.",
    "slist": "killreport jlist prints the list for scripts, killreport list --json in a shape of its own.",
    "serve": _STATUS_PAGE,
    "logrotate": "Logs rotate by themselves, by size.",
    "profile:cpu": "There is no profiler inside; py-spy works from outside on $(killreport pid NAME).",
}


def instead_of_file(name: str) -> str | None:
    """Return what to say of a file where a process's name belongs; None for what is no such file."""
    if name.endswith((".js", ".cjs", ".mjs", ".json", ".yml", ".yaml", ".py", ".sh")):
        return (
            f"{name} is a file, and processes have names here: the fleet is defined already, and killreport start "
            "starts all of it. killreport fleet edit overrides a process; for PM2 itself it is pm2 start "
            f"{name}, after killreport export pm2."
        )
    return None
