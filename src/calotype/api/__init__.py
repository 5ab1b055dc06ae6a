"""The Python facade behind `import calotype`: thin handles on a workspace that call the verbs of the rooms."""
