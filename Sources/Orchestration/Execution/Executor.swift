import Synchronization

/// Runs a plan: whatever does not wait for something else runs at once. It decides nothing.
///
/// When an operation fails, what depends on it is not run, nothing new is begun (unless ``keepsGoing``), waits
/// end, and what is under way is finished; then the first error is thrown. The same happens when the task is
/// cancelled: no operation is cut in the middle, so what exists afterwards can be planned from again.
public struct Executor: Sendable {
    let engine: any Engine
    let live: LiveContainers
    let time: TimeSource
    let report: @Sendable (Message) -> Void
    /// Time that waits may take in total; nil: any.
    public var waitTimeout: Duration?
    /// After a failure, go on with what does not depend on it: for taking things down.
    public var keepsGoing = false

    public init(
        engine: any Engine, live: LiveContainers, time: TimeSource, report: @escaping @Sendable (Message) -> Void
    ) {
        self.engine = engine
        self.live = live
        self.time = time
        self.report = report
    }

    /// - Throws: ``Failure`` with the first error's text; `CancellationError`.
    public func run(_ plan: Plan) async throws {
        let context = Context(plan: plan)
        var schedule = Schedule(plan)
        var firstError: (any Error)?
        await withTaskGroup(of: (Operation.ID, Result<Void, any Error>).self) { group in
            func begin(_ ids: [Operation.ID]) {
                for id in ids {
                    let operation = plan.operations[id]
                    group.addTask {
                        do {
                            try await perform(operation, context)
                            return (id, .success(()))
                        } catch {
                            return (id, .failure(error))
                        }
                    }
                }
            }
            begin(schedule.ready())
            while let (id, result) = await group.next() {
                switch result {
                case .success: schedule.succeeded(id)
                case .failure(let error):
                    let isFatal = schedule.failed(id)
                    if !isFatal {
                        warn(plan.operations[id], error)
                    } else if !(error is CancellationError) || firstError == nil {
                        if firstError == nil || firstError is CancellationError { firstError = error }
                        if !keepsGoing { group.cancelAll() }
                    }
                }
                if Task.isCancelled || (firstError != nil && !keepsGoing) { continue }
                begin(schedule.ready())
            }
        }
        if let firstError, !(firstError is CancellationError) { throw firstError }
        try Task.checkCancellation()
        try await checkStillRunning(plan, context)
    }

    private func warn(_ operation: Operation, _ error: any Error) {
        guard case .wait(let service, _, let condition) = operation.kind else { return }
        if condition == .completedSuccessfully {
            report(.warning("optional dependency \(stripped(error, "service "))"))
        } else {
            report(
                .warning(
                    "optional dependency \"\(service)\" failed to start: "
                        + stripped(error, "dependency failed to start: ")))
        }
    }

    private func stripped(_ error: any Error, _ prefix: String) -> String {
        let text = "\(error)"
        return text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
    }

    /// What the operations of one run share.
    final class Context: Sendable {
        private let made = Mutex<[Operation.ID: ContainerID]>([:])
        private let deadline = Mutex<Duration?>(nil)
        /// Containers that this plan starts.
        let started: Set<ContainerTarget>

        init(plan: Plan) {
            started = Set(
                plan.operations.compactMap { operation in
                    switch operation.kind {
                    case .start(let target, _), .restart(let target, _, _): target
                    default: nil
                    }
                })
        }

        func made(_ container: ContainerID, by operation: Operation.ID) {
            made.withLock { $0[operation] = container }
        }

        func id(of target: ContainerTarget) throws -> ContainerID {
            switch target.identity {
            case .existing(let id): return id
            case .madeBy(let operation):
                guard let id = made.withLock({ $0[operation] }) else {
                    throw Failure("container \(target.name) was not created")
                }
                return id
            }
        }

        /// When waits have to be over; the time runs from the first call.
        func deadline(now: Duration, timeout: Duration) -> Duration {
            deadline.withLock { value in
                let result = value ?? now + timeout
                value = result
                return result
            }
        }
    }
}

/// Which operations of a plan may run.
struct Schedule {
    private let plan: Plan
    private var missing: [Int]
    private var dependants: [[(id: Operation.ID, isRequired: Bool)]]
    private var queue: [Operation.ID] = []
    private var isSkipped: [Bool]

    init(_ plan: Plan) {
        self.plan = plan
        missing = plan.operations.map(\.prerequisites.count)
        dependants = Array(repeating: [], count: plan.operations.count)
        isSkipped = Array(repeating: false, count: plan.operations.count)
        for operation in plan.operations {
            for prerequisite in operation.prerequisites {
                dependants[prerequisite.id].append((operation.id, prerequisite.isRequired))
            }
            if operation.prerequisites.isEmpty { queue.append(operation.id) }
        }
    }

    /// What can begin now; each is given once.
    mutating func ready() -> [Operation.ID] {
        defer { queue = [] }
        return queue.filter { !isSkipped[$0] }
    }

    mutating func succeeded(_ id: Operation.ID) { release(id) }

    /// Skips what depends on it. Returns whether the failure is the plan's: a wait that only optional dependencies
    /// hang on is not.
    mutating func failed(_ id: Operation.ID) -> Bool {
        var isFatal = true
        if case .wait = plan.operations[id].kind, !dependants[id].isEmpty {
            isFatal = dependants[id].contains(where: \.isRequired)
        }
        skipDependants(of: id)
        return isFatal
    }

    private mutating func skipDependants(of first: Operation.ID) {
        var stack = [first]
        while let id = stack.popLast() {
            for dependant in dependants[id] {
                missing[dependant.id] -= 1
                if dependant.isRequired {
                    if !isSkipped[dependant.id] {
                        isSkipped[dependant.id] = true
                        stack.append(dependant.id)
                    }
                } else if missing[dependant.id] == 0 {
                    queue.append(dependant.id)
                }
            }
        }
    }

    private mutating func release(_ id: Operation.ID) {
        for dependant in dependants[id] {
            missing[dependant.id] -= 1
            if missing[dependant.id] == 0 { queue.append(dependant.id) }
        }
    }
}
