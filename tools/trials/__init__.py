# SPDX-License-Identifier: Apache-2.0
"""What the scripts that train models and compare them have in common: programs.py runs and measures,
resampling.py compares by resamples of the users."""
