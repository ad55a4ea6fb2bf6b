"""Loggers of Paddle's own programs."""

from __future__ import annotations

import logging

from refluid.paddle.fluid.log_helper import get_logger


def test_a_logger_writes_by_itself_in_the_form_that_is_asked_for(capsys):
    logger = get_logger("era of 2020", logging.INFO, fmt="%(levelname)s: %(message)s")
    logger.info("loss %.1f", 0.5)
    logger.debug("not shown")
    assert capsys.readouterr().err == "INFO: loss 0.5\n"
    assert not logger.propagate
    logger.handlers.clear()
