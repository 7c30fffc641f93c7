internal import ComposeFile

print(ComposeSchema.json)
