# SPDX-License-Identifier: Apache-2.0
"""The parts of tools/report: what was measured (runs), curves with bands (curves), drawings (figures),
what each section says (sections, tables), and the page around it (page)."""
