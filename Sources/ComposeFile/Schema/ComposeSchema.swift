/// The Compose format as this library accepts it, for editors and other tools.
public enum ComposeSchema {
    /// A JSON Schema (draft 2020-12) of one Compose file as it is written, made from the same table that the loader
    /// checks files against. Indented, without a newline at the end.
    ///
    /// Rules that hold only after merging, or between attributes, are not in it. Values that hold a variable, as
    /// `${PORT}`, are accepted wherever text is.
    public static var json: String { JSONWriter.write(JSONSchemaGenerator().document(), indented: true) }
}
