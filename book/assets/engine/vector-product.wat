;; A matrix times a vector, in 32-bit numbers. The rows of the matrix lie as matrix.js puts them:
;; what eight rows have for one number of the vector lies side by side, two times four numbers.
;;
;; Two sums of four would be too few: a processor would wait for each before it adds to it again.
;; So four numbers of the vector are taken at a time, with two sums for each of the four. Weights
;; are read from front to back, which is how memory gives them fastest.

(module
  (import "room" "memory" (memory 1))

  ;; Places and steps are in bytes. What is behind the last of $rows, in its eight, is computed too.
  (func (export "multiply")
    (param $weight i32)
    (param $next i32)  ;; from eight rows to the eight after them
    (param $step i32)  ;; from what they have for one number of the vector to the number after it
    (param $x i32) (param $width i32) (param $out i32) (param $rows i32)
    (local $here i32) (local $number i32) (local $fours i32) (local $end i32) (local $four v128) (local $v v128)
    (local $a0 v128) (local $b0 v128) (local $a1 v128) (local $b1 v128)
    (local $a2 v128) (local $b2 v128) (local $a3 v128) (local $b3 v128)

    (local.set $end (i32.add (local.get $x) (i32.mul (local.get $width) (i32.const 4))))
    (local.set $fours (i32.add (local.get $x) (i32.mul (i32.and (local.get $width) (i32.const -4)) (i32.const 4))))
    (loop $next_rows
      (local.set $here (local.get $weight))
      (local.set $number (local.get $x))
      (local.set $a0 (v128.const f32x4 0 0 0 0)) (local.set $b0 (v128.const f32x4 0 0 0 0))
      (local.set $a1 (v128.const f32x4 0 0 0 0)) (local.set $b1 (v128.const f32x4 0 0 0 0))
      (local.set $a2 (v128.const f32x4 0 0 0 0)) (local.set $b2 (v128.const f32x4 0 0 0 0))
      (local.set $a3 (v128.const f32x4 0 0 0 0)) (local.set $b3 (v128.const f32x4 0 0 0 0))

      (if (i32.lt_u (local.get $number) (local.get $fours)) (then
        (loop $next_four
          (local.set $four (v128.load (local.get $number)))
          (local.set $v (i8x16.shuffle 0 1 2 3 0 1 2 3 0 1 2 3 0 1 2 3 (local.get $four) (local.get $four)))
          (local.set $a0 (f32x4.add (local.get $a0) (f32x4.mul (local.get $v) (v128.load (local.get $here)))))
          (local.set $b0 (f32x4.add (local.get $b0) (f32x4.mul (local.get $v) (v128.load offset=16 (local.get $here)))))
          (local.set $here (i32.add (local.get $here) (local.get $step)))
          (local.set $v (i8x16.shuffle 4 5 6 7 4 5 6 7 4 5 6 7 4 5 6 7 (local.get $four) (local.get $four)))
          (local.set $a1 (f32x4.add (local.get $a1) (f32x4.mul (local.get $v) (v128.load (local.get $here)))))
          (local.set $b1 (f32x4.add (local.get $b1) (f32x4.mul (local.get $v) (v128.load offset=16 (local.get $here)))))
          (local.set $here (i32.add (local.get $here) (local.get $step)))
          (local.set $v (i8x16.shuffle 8 9 10 11 8 9 10 11 8 9 10 11 8 9 10 11 (local.get $four) (local.get $four)))
          (local.set $a2 (f32x4.add (local.get $a2) (f32x4.mul (local.get $v) (v128.load (local.get $here)))))
          (local.set $b2 (f32x4.add (local.get $b2) (f32x4.mul (local.get $v) (v128.load offset=16 (local.get $here)))))
          (local.set $here (i32.add (local.get $here) (local.get $step)))
          (local.set $v (i8x16.shuffle 12 13 14 15 12 13 14 15 12 13 14 15 12 13 14 15 (local.get $four) (local.get $four)))
          (local.set $a3 (f32x4.add (local.get $a3) (f32x4.mul (local.get $v) (v128.load (local.get $here)))))
          (local.set $b3 (f32x4.add (local.get $b3) (f32x4.mul (local.get $v) (v128.load offset=16 (local.get $here)))))
          (local.set $here (i32.add (local.get $here) (local.get $step)))
          (local.set $number (i32.add (local.get $number) (i32.const 16)))
          (br_if $next_four (i32.lt_u (local.get $number) (local.get $fours))))))

      (if (i32.lt_u (local.get $number) (local.get $end)) (then
        (loop $next_number  ;; at most three
          (local.set $v (v128.load32_splat (local.get $number)))
          (local.set $a0 (f32x4.add (local.get $a0) (f32x4.mul (local.get $v) (v128.load (local.get $here)))))
          (local.set $b0 (f32x4.add (local.get $b0) (f32x4.mul (local.get $v) (v128.load offset=16 (local.get $here)))))
          (local.set $here (i32.add (local.get $here) (local.get $step)))
          (local.set $number (i32.add (local.get $number) (i32.const 4)))
          (br_if $next_number (i32.lt_u (local.get $number) (local.get $end))))))

      (v128.store (local.get $out) (f32x4.add
        (f32x4.add (local.get $a0) (local.get $a1)) (f32x4.add (local.get $a2) (local.get $a3))))
      (v128.store offset=16 (local.get $out) (f32x4.add
        (f32x4.add (local.get $b0) (local.get $b1)) (f32x4.add (local.get $b2) (local.get $b3))))
      (local.set $out (i32.add (local.get $out) (i32.const 32)))
      (local.set $weight (i32.add (local.get $weight) (local.get $next)))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 8)))
      (br_if $next_rows (i32.gt_s (local.get $rows) (i32.const 0)))))
)
