# SPDX-License-Identifier: GPL-2.0-only
"""What the Makefile needs to do to kernels: trees, series, configurations, builds."""
