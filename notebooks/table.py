# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Your own table
#
# Numbers, categories, dates and blanks, as they are. This notebook makes a table of
# customers; put `pd.read_csv("your.csv")` in its place.

# %%
# %pip install --quiet "equipoise[tables]"

# %%
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n = 3000
plan = rng.choice(["free", "pro", "team"], n, p=[0.6, 0.3, 0.1])
seats = np.where(plan == "team", rng.integers(3, 40, n), 1)
price = {"free": 0.0, "pro": 12.5, "team": 10.0}
since = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, n), unit="D")
customers = pd.DataFrame(
    {
        "age": rng.gamma(9.0, 4.5, n).round().clip(18, 90),
        "plan": plan,
        "seats": seats,
        "bill": [price[name] * many for name, many in zip(plan, seats, strict=True)],
        "since": since,
    }
)
customers.loc[rng.random(n) < 0.1, "age"] = np.nan
customers.head()

# %% [markdown]
# A constraint holds in every row of your table, and will in every sample.

# %%
from equipoise import GAN

gan = GAN(seed=0, minutes=2, constraints=("seats >= 1",)).fit(customers)
new = gan.sample(1000, seed=7)
new.head()

# %% [markdown]
# The same columns and types, and the blanks with their frequency:

# %%
print((new.dtypes == customers.dtypes).all(), new["age"].isna().mean().round(3))
print(pd.concat({"yours": customers["plan"], "new": new["plan"]}).groupby(level=0).value_counts())

# %% [markdown]
# Rows that meet conditions:

# %%
gan.sample(5, where={"plan": "team"}, seed=0)

# %% [markdown]
# How good it is. The C2ST is a classifier that tries to tell your held-out rows from
# new ones: 0.5 means that it cannot.

# %%
print(gan.evaluate(quick=True))
