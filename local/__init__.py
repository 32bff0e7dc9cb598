"""The whole stack on one machine: `native/` as plain processes; compose beside it."""
