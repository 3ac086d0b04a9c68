"""Two contenders on the same texts, behind the scenes: side by side, and the replay of a period.

`services` asks for comparisons and ends them, `texts` gathers what is read, `work` reads it chunk by
chunk in a process of its own (`worker`), `judging` is what reviewers do with the result.
"""
