"""Whether a new model may answer customers, compared with the one that does.

judging     the verdict, from two model directories and the evidence; knows no database
crossfit    what labelled sentences teach, where frozen texts are too few
causes      which change of the data most likely made sentences flip
recording   gathers the evidence, and keeps verdicts
overriding  somebody lets a refused version answer, by name and with a reason
cases       regression sentences
"""
