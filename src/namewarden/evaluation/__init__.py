"""What a model finds and what it costs, measured by one protocol. `run.py` is the order of the parts.

- `answers.py` asks the model once about every label of the corpus; the parts below read what it said.
- A part is one file: `measure(…)` gives its figures, a pure function; `show(figures)` is its section of the report.
- `subject.py` is what is measured: the packaged model, a folder, or a recipe; all are a `Judge` here.
- `names.py` gathers the whole names that the corpus does not keep; `report.py` and `card.py` write.
- `kept.py` puts beside a model what other runs left: recipes on the same names (`compare.py`), families that its recipe
  was fitted without (`held_out.py`, `left_out.py`), the seed's own task.

No guard list, no popularity look-up: band and action are the model's alone. The data are training's.
"""
