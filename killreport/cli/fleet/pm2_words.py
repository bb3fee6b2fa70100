"""What fingers type that know PM2, and what to type here instead."""

from __future__ import annotations

# By the words in small letters.
_SENTENCES = {
    "plus web monitor unmonitor link unlink open register login serve": "The web view of the fleet is the page "
    "/status of the site.",
    "env": "Environments are shown to nobody, for they hold secrets: killreport fleet show NAME tells which "
    "variables a process has of its own, killreport config show what the settings are.",
    "reset": "Restarts are counted by the supervisor; they begin anew with killreport kill, then killreport start.",
    "sendsignal": "Signals are sent by the shell: kill -s SIGUSR2 $(killreport pid NAME).",
    "update updatepm2 deepupdate forceupdate": "A new release takes over with killreport kill, then killreport "
    "start; no killmail is lost meanwhile.",
    "startorrestart": "killreport start starts what does not run, killreport restart also what does.",
    "startorreload startorgracefulreload": "killreport start starts what does not run, killreport reload also "
    "replaces what does.",
    "restartall": "Without a name the verb is for all: killreport restart.",
    "reloadall": "Without a name the verb is for all: killreport reload.",
    "stopall": "Without a name the verb is for all: killreport stop.",
    "deleteall": "Without a name the verb is for all: killreport delete.",
    "set get unset multiset conf": "Settings are variables or a file: killreport config show shows them, with where "
    "each comes from.",
    "install uninstall module:install module:list": "There are no modules: logs rotate, and metrics are on the page "
    "/status, without any.",
    "init ecosystem": "The fleet is defined already; killreport fleet edit overrides a process, killreport export "
    "pm2 DIR writes it for PM2.",
    "deploy": "docs/howto/install.md says how a release is installed and taken back.",
    "cleardump": "killreport save replaces what was saved; killreport delete forgets processes.",
    "report": "killreport show NAME, killreport ping and killreport db status tell what a report needs.",
    "attach": "No process reads its standard input; killreport logs NAME follows what one writes.",
    "help": "The option --help lists the verbs, and after a verb it tells about that one.",
    "id": "killreport pid NAME prints the pids of a process; processes have names here and no numbers.",
    "slist": "killreport jlist prints the list for scripts, killreport list --json in a shape of its own.",
    "logrotate": "Logs rotate by themselves, by size.",
    "profile:cpu": "There is no profiler inside; py-spy works from outside on $(killreport pid NAME).",
}
INSTEAD = {word: sentence for words, sentence in _SENTENCES.items() for word in words.split()}


def instead_of_file(name: str) -> str | None:
    """Return what to say of a file where a process's name belongs; None for what is no such file."""
    if name.endswith((".js", ".cjs", ".mjs", ".json", ".yml", ".yaml", ".py", ".sh")):
        return (
            f"{name} is a file, and processes have names here: the fleet is defined already, and killreport start "
            "starts all of it. killreport fleet edit overrides a process; for PM2 itself it is pm2 start "
            f"{name}, after killreport export pm2."
        )
    return None
