/// libFuzzer's door: `make fuzz` compiles this with ComposeFile into one module.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTestOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    FuzzCase(UnsafeBufferPointer(start: data, count: size)).run()
    return 0
}
