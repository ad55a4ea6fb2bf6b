"""The table of commands and options: a change of it is a decision, and is made here too."""

from __future__ import annotations

from typer.main import get_command

from refluid import __version__
from refluid.cli import app
from refluid.train.config import TrainConfig

OPTIONS = {
    "train": {
        "--data": None,
        "--device": None,
        "--epochs": None,
        "--batch-size": 32,
        "--optimizer": "adam",
        "--lr": None,
        "--decay": "polynomial",
        "--l2": 0.0,
        "--seed": 1,
        "--out": "runs/digits",
        "--load": None,
        "--patience": None,
        "--test": True,
        "--inspect": False,
    },
    "show": {"paths": None},
    "plot": {"runs": None, "--metric": None, "--out": None},
    "diagnose": {"run": None, "--json": False},
    "board": {"--logdir": "runs", "--port": 8080, "--visualdl": False},
    "report": {"run": None, "--out": None},
    "sweep": {
        "command": None,
        "--try": None,
        "--trials": 20,
        "--metric": "valid_accuracy",
        "--minimize": False,
        "--seed": 1,
        "--out": "runs/sweep",
    },
    "launch": {
        "command": None,
        "--nproc": 1,
        "--nnodes": 1,
        "--node-rank": 0,
        "--master": None,
        "--max-restarts": 0,
        "--log-dir": None,
        "--timeout": 300.0,
        "--mode": "collective",
        "--servers": 1,
        "--trainers": None,
        "--async": False,
        "--staleness": 4,
        "--ray-address": None,
    },
    "verify": {
        "command": None,
        "--kills": 10,
        "--seed": 1,
        "--keep": None,
    },
}


def _plain(value: object) -> object:
    value = getattr(value, "value", value)
    return value if isinstance(value, int | float | None) else str(value)


def test_commands_and_options_are_those_of_the_table():
    commands = get_command(app).commands
    found = {
        name: {option.opts[0]: _plain(option.default) for option in command.params}
        for name, command in commands.items()
    }
    assert found == OPTIONS


def test_every_option_has_a_help_text():
    for command in get_command(app).commands.values():
        assert command.help
        for option in command.params:
            assert option.help, option.name


def test_defaults_are_those_of_the_configuration():
    config = TrainConfig()
    for name in ("batch_size", "optimizer", "decay", "l2", "seed", "out"):
        option = "--" + name.replace("_", "-")
        assert OPTIONS["train"][option] == _plain(getattr(config, name))


def test_version_is_the_package_s(capsys):
    get_command(app).main(["--version"], standalone_mode=False)
    assert capsys.readouterr().out == f"refluid {__version__}\n"
