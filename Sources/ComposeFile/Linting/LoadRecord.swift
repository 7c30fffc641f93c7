/// What a load leaves for the linter: the tree before anything is implied or dropped, and what was read.
final class LoadRecord {
    var reporter = Reporter()
    /// Merged, canonical and typed; its marks say which file set what.
    var tree = Node(.mapping(Mapping()))
    var surroundings: Surroundings?
    var loader: FileLoader?
}
