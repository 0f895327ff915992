;; C = A B, or C += A B, of matrices that lie anywhere in memory, in 32-bit numbers.
;;
;; A number of A stands at $a + row * $a_row + column * $a_column bytes, and so do those of B; so
;; one function multiplies with a matrix, with its transpose, and with a part of one. The columns
;; of C stand side by side. Eight columns of B are packed together, then four rows of A meet them:
;; 32 sums that stay in the processor's registers, two vectors of four for each row.

(module
  (memory (export "memory") 1)

  (func (export "product")
    (param $m i32) (param $n i32) (param $depth i32)
    (param $a i32) (param $a_row i32) (param $a_column i32)
    (param $b i32) (param $b_row i32) (param $b_column i32)
    (param $c i32) (param $c_row i32)
    (param $add i32)   ;; 0 to replace what C holds, 1 to add to it
    (param $room i32)  ;; 32 bytes for each number of the depth, and 128 for a block of C
    (local $i i32) (local $j i32) (local $k i32) (local $r i32)
    (local $rows i32) (local $columns i32) (local $from i32) (local $to i32) (local $block i32)
    (local $a0 i32) (local $a1 i32) (local $a2 i32) (local $a3 i32)
    (local $left v128) (local $right v128) (local $x v128)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    (local $t0 v128) (local $t1 v128) (local $t2 v128) (local $t3 v128)

    (local.set $block (i32.add (local.get $room) (i32.mul (local.get $depth) (i32.const 32))))

    (loop $next_columns
      (local.set $columns (i32.sub (local.get $n) (local.get $j)))
      (if (i32.gt_s (local.get $columns) (i32.const 8)) (then (local.set $columns (i32.const 8))))

      ;; Pack: the columns' numbers of row k of B, one after the other, and 0 beyond the last.
      (local.set $k (i32.const 0))
      (local.set $to (local.get $room))
      (loop $next_packed
        (local.set $from (i32.add (local.get $b) (i32.add
          (i32.mul (local.get $k) (local.get $b_row)) (i32.mul (local.get $j) (local.get $b_column)))))
        (if (i32.and (i32.eq (local.get $b_column) (i32.const 4)) (i32.eq (local.get $columns) (i32.const 8)))
          (then  ;; they stand side by side already
            (v128.store (local.get $to) (v128.load (local.get $from)))
            (v128.store offset=16 (local.get $to) (v128.load offset=16 (local.get $from)))
            (local.set $to (i32.add (local.get $to) (i32.const 32))))
          (else
            (local.set $r (i32.const 0))
            (loop $next_column
              (f32.store (local.get $to)
                (if (result f32) (i32.lt_s (local.get $r) (local.get $columns))
                  (then (f32.load (local.get $from))) (else (f32.const 0))))
              (local.set $to (i32.add (local.get $to) (i32.const 4)))
              (local.set $from (i32.add (local.get $from) (local.get $b_column)))
              (local.set $r (i32.add (local.get $r) (i32.const 1)))
              (br_if $next_column (i32.lt_s (local.get $r) (i32.const 8))))))
        (local.set $k (i32.add (local.get $k) (i32.const 1)))
        (br_if $next_packed (i32.lt_s (local.get $k) (local.get $depth))))

      (local.set $i (i32.const 0))
      (loop $next_rows
        (local.set $rows (i32.sub (local.get $m) (local.get $i)))
        (if (i32.gt_s (local.get $rows) (i32.const 4)) (then (local.set $rows (i32.const 4))))

        ;; Where the four rows of A begin. Beyond the last row, the first of the four once more.
        (local.set $a0 (i32.add (local.get $a) (i32.mul (local.get $i) (local.get $a_row))))
        (local.set $a1 (select (i32.add (local.get $a0) (local.get $a_row)) (local.get $a0)
          (i32.gt_s (local.get $rows) (i32.const 1))))
        (local.set $a2 (select (i32.add (local.get $a1) (local.get $a_row)) (local.get $a0)
          (i32.gt_s (local.get $rows) (i32.const 2))))
        (local.set $a3 (select (i32.add (local.get $a2) (local.get $a_row)) (local.get $a0)
          (i32.gt_s (local.get $rows) (i32.const 3))))

        (local.set $s0 (v128.const f32x4 0 0 0 0)) (local.set $t0 (v128.const f32x4 0 0 0 0))
        (local.set $s1 (v128.const f32x4 0 0 0 0)) (local.set $t1 (v128.const f32x4 0 0 0 0))
        (local.set $s2 (v128.const f32x4 0 0 0 0)) (local.set $t2 (v128.const f32x4 0 0 0 0))
        (local.set $s3 (v128.const f32x4 0 0 0 0)) (local.set $t3 (v128.const f32x4 0 0 0 0))
        (local.set $from (local.get $room))
        (loop $next_depth
          (local.set $left (v128.load (local.get $from)))
          (local.set $right (v128.load offset=16 (local.get $from)))
          (local.set $x (v128.load32_splat (local.get $a0)))
          (local.set $s0 (f32x4.add (local.get $s0) (f32x4.mul (local.get $x) (local.get $left))))
          (local.set $t0 (f32x4.add (local.get $t0) (f32x4.mul (local.get $x) (local.get $right))))
          (local.set $x (v128.load32_splat (local.get $a1)))
          (local.set $s1 (f32x4.add (local.get $s1) (f32x4.mul (local.get $x) (local.get $left))))
          (local.set $t1 (f32x4.add (local.get $t1) (f32x4.mul (local.get $x) (local.get $right))))
          (local.set $x (v128.load32_splat (local.get $a2)))
          (local.set $s2 (f32x4.add (local.get $s2) (f32x4.mul (local.get $x) (local.get $left))))
          (local.set $t2 (f32x4.add (local.get $t2) (f32x4.mul (local.get $x) (local.get $right))))
          (local.set $x (v128.load32_splat (local.get $a3)))
          (local.set $s3 (f32x4.add (local.get $s3) (f32x4.mul (local.get $x) (local.get $left))))
          (local.set $t3 (f32x4.add (local.get $t3) (f32x4.mul (local.get $x) (local.get $right))))
          (local.set $a0 (i32.add (local.get $a0) (local.get $a_column)))
          (local.set $a1 (i32.add (local.get $a1) (local.get $a_column)))
          (local.set $a2 (i32.add (local.get $a2) (local.get $a_column)))
          (local.set $a3 (i32.add (local.get $a3) (local.get $a_column)))
          (local.set $from (i32.add (local.get $from) (i32.const 32)))
          (br_if $next_depth (i32.lt_u (local.get $from) (local.get $block))))

        ;; The block of 4 by 8, and of it what C has room for.
        (v128.store (local.get $block) (local.get $s0))
        (v128.store offset=16 (local.get $block) (local.get $t0))
        (v128.store offset=32 (local.get $block) (local.get $s1))
        (v128.store offset=48 (local.get $block) (local.get $t1))
        (v128.store offset=64 (local.get $block) (local.get $s2))
        (v128.store offset=80 (local.get $block) (local.get $t2))
        (v128.store offset=96 (local.get $block) (local.get $s3))
        (v128.store offset=112 (local.get $block) (local.get $t3))
        (local.set $r (i32.const 0))
        (loop $next_row
          (local.set $from (i32.add (local.get $block) (i32.mul (local.get $r) (i32.const 32))))
          (local.set $to (i32.add (local.get $c) (i32.add
            (i32.mul (i32.add (local.get $i) (local.get $r)) (local.get $c_row))
            (i32.mul (local.get $j) (i32.const 4)))))
          (if (i32.eq (local.get $columns) (i32.const 8))
            (then
              (local.set $left (v128.load (local.get $from)))
              (local.set $right (v128.load offset=16 (local.get $from)))
              (if (local.get $add) (then
                (local.set $left (f32x4.add (local.get $left) (v128.load (local.get $to))))
                (local.set $right (f32x4.add (local.get $right) (v128.load offset=16 (local.get $to))))))
              (v128.store (local.get $to) (local.get $left))
              (v128.store offset=16 (local.get $to) (local.get $right)))
            (else
              (local.set $k (i32.const 0))
              (loop $next_number
                (f32.store (local.get $to)
                  (if (result f32) (local.get $add)
                    (then (f32.add (f32.load (local.get $to)) (f32.load (local.get $from))))
                    (else (f32.load (local.get $from)))))
                (local.set $to (i32.add (local.get $to) (i32.const 4)))
                (local.set $from (i32.add (local.get $from) (i32.const 4)))
                (local.set $k (i32.add (local.get $k) (i32.const 1)))
                (br_if $next_number (i32.lt_s (local.get $k) (local.get $columns))))))
          (local.set $r (i32.add (local.get $r) (i32.const 1)))
          (br_if $next_row (i32.lt_s (local.get $r) (local.get $rows))))

        (local.set $i (i32.add (local.get $i) (i32.const 4)))
        (br_if $next_rows (i32.lt_s (local.get $i) (local.get $m))))

      (local.set $j (i32.add (local.get $j) (i32.const 8)))
      (br_if $next_columns (i32.lt_s (local.get $j) (local.get $n))))))
