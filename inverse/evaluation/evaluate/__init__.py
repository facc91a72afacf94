"""Thousands of restorations, on one machine or many: a plan, its results, and what is made of them.

    plan -> jobs -> work, local or on a Ray cluster -> lines of results -> cells -> tables and charts

A job is one photo with one `Settings`, known by a hash of both. The plan is written once; results are lines that are
only ever appended, to a file of each process. Whatever is killed, the same command goes on with the jobs of the plan
that have no line yet.
"""
