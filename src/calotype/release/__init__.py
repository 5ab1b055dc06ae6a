"""Floor 4, room `release`: freeze a tested version with its splits, card and exports; read it while
training.
"""
