"""A model card as sentences, sections, tables, checklists, Markdown and PDF."""
