import ArgumentParser
import FoundationEssentials
struct X: Codable { var a = 1 }
@main struct Swcompose: ParsableCommand {
    mutating func run() throws { print(String(decoding: try JSONEncoder().encode(X()), as: UTF8.self)) }
}
